"""The command line ``imagesearch``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from imagesearch import __version__
from imagesearch.errors import ImageSearchError
from imagesearch_client import NoCredentials, Refused, Unreachable, UnusableSource

from imagesearch_local import increment_commands
from imagesearch_local.commands import (
    erasing,
    evaluating,
    handing,
    imports,
    instances,
    keys,
    models,
    overview,
    pictures,
    reindexing,
    running,
    tuning,
    upkeep,
)
from imagesearch_local.commands.exits import Exit
from imagesearch_local.commands.output import complain, print_json
from imagesearch_local.problems import LocalFailure

__all__ = ["app", "main"]

app = typer.Typer(
    name="imagesearch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit status: 0 done, 1 refused by the server, 2 wrong usage, 3 ended with failures "
    "that are listed, 4 the server does not answer, 5 the local run cannot start, 130 interrupted.",
)
app.add_typer(instances.app, name="instance")
app.add_typer(increment_commands.app, name="increment")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="model")
app.command("serve")(running.serve_command)
app.command("add")(pictures.add)
app.command("import")(imports.import_pictures)
app.command("search")(pictures.search)
app.command("compare")(pictures.compare)
app.command("update")(pictures.update)
app.command("facets")(overview.facets)
app.command("duplicates")(overview.duplicates)
app.command("dump")(overview.dump)
app.command("show")(pictures.show)
app.command("delete")(pictures.delete)
app.command("eval")(evaluating.eval_command)
app.command("reindex")(reindexing.reindex)
app.command("handover")(handing.handover)
app.command("erase")(erasing.erase)
app.command("verify-erased")(erasing.verify_erased)
app.command("tune")(tuning.tune_command)
app.command("compact")(upkeep.compact)
app.command("generations")(upkeep.generations)
app.command("rollback")(upkeep.rollback)
app.command("scrub")(upkeep.scrub)
app.command("doctor")(running.doctor_command)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"imagesearch {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Serverless Image Search: run it on this machine, fill it, search it.

    Verbs talk to http://127.0.0.1:3000 unless --url or IMAGESEARCH_URL names another server.
    """


def main() -> None:
    """Run the command line; expected failures end with one line and a status, no traceback."""
    try:
        app()
    except Refused as error:
        _refused(error)
        sys.exit(Exit.REFUSED)
    except ImageSearchError as error:
        found = {"code": error.code, "detail": error.detail, "fix": error.fix}
        _refused(Refused(error.status, found))
        sys.exit(Exit.REFUSED)
    except Unreachable as error:
        complain(f"{error}\nIs it running? Start it with: imagesearch serve")
        sys.exit(Exit.UNREACHABLE)
    except (UnusableSource, NoCredentials) as error:
        complain(str(error))
        sys.exit(Exit.USAGE)
    except LocalFailure as error:
        complain(f"imagesearch: {error}")
        sys.exit(Exit.NOT_STARTED)


def _refused(error: Refused) -> None:
    if "--json" in sys.argv:
        print_json(error.problem)
        return
    complain(f"{error.code}: {error.detail}")
    if error.fix:
        complain(error.fix)


if __name__ == "__main__":
    main()
