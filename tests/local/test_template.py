"""Templates: what is read, what is evaluated, what is refused."""

from pathlib import Path

import pytest
from imagesearch_local.problems import TemplateFailure
from imagesearch_local.template import Route, S3Trigger, Template

PROJECT = Path(__file__).parents[2] / "template.yaml"
TOY = Path(__file__).parent / "toy" / "template.yaml"

HEAD = """
Parameters:
  Stage: {Type: String, Default: dev}
  Origins: {Type: CommaDelimitedList, Default: "a, b"}
  Needed: {Type: String}
Mappings:
  Sizes: {dev: {memory: 256}, prod: {memory: 1024}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
Globals:
  Function:
    Handler: app.handler
    Timeout: 7
    Layers: [!Ref First]
    Environment: {Variables: {BOTH: global, STAGE: !Ref Stage}}
Resources:
  First: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: first}}
  Second: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: second}}
  Inbox:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${AWS::StackName}-${Stage}-inbox"}
  Unnamed: {Type: AWS::S3::Bucket}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Join ["-", [w, !Ref Stage]]
      CodeUri: worker
      MemorySize: !FindInMap [Sizes, !Ref Stage, memory]
      Layers: [!Ref Second]
"""


def read(folder: Path, rest: str, head: str = HEAD, **parameters: str) -> Template:
    (folder / "worker").mkdir(exist_ok=True)
    (folder / "template.yaml").write_text(head + rest)
    return Template.read(folder / "template.yaml", parameters)


def variables(folder: Path, value: str, **parameters: str) -> str:
    rest = f"      Environment: {{Variables: {{V: {value}}}}}\n"
    [worker] = read(folder, rest, **parameters).functions
    return worker.environment["V"]


def test_globals_are_merged_into_functions(tmp_path: Path) -> None:
    rest = "      Environment: {Variables: {BOTH: own, NUMBER: 5, FLAG: true}}\n"
    [worker] = read(tmp_path, rest).functions
    assert worker.name == "w-dev"
    assert worker.folder == tmp_path / "worker"
    assert (worker.handler, worker.timeout, worker.memory) == ("app.handler", 7, 256)
    assert worker.layers == (tmp_path / "first", tmp_path / "second")
    assert worker.environment == {"BOTH": "own", "STAGE": "dev", "NUMBER": "5", "FLAG": "true"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Ref Worker", "w-dev"),
        ("!Ref Worker.Alias", "w-dev"),
        ("!GetAtt Worker.Arn", "arn:aws:lambda:us-east-1:000000000000:function:w-dev"),
        ("!Ref Inbox", "imagesearch-local-dev-inbox"),
        ("!GetAtt Inbox.Arn", "arn:aws:s3:::imagesearch-local-dev-inbox"),
        ("!Ref Unnamed", "unnamed"),
        ('!Sub "${Inbox.Arn}/*"', "arn:aws:s3:::imagesearch-local-dev-inbox/*"),
        ('!Sub ["${x}-${!literal}", {x: !Ref Stage}]', "dev-${literal}"),
        ("!If [IsProd, up, down]", "down"),
        ("!If [IsDev, !Ref AWS::Region, down]", "us-east-1"),
        ('!Select [1, !Split [",", "a,b,c"]]', "b"),
        ('!Join ["+", !Ref Origins]', "a+b"),
    ],
)
def test_intrinsic_functions(tmp_path: Path, value: str, expected: str) -> None:
    assert variables(tmp_path, value) == expected


def test_parameters_can_be_given(tmp_path: Path) -> None:
    assert variables(tmp_path, "!If [IsProd, in, out]", Stage="prod") == "in"
    with pytest.raises(TemplateFailure, match="no parameter Other"):
        read(tmp_path, "", Other="x")


def test_no_value_removes_a_variable(tmp_path: Path) -> None:
    rest = "      Environment: {Variables: {GONE: !Ref AWS::NoValue}}\n"
    [worker] = read(tmp_path, rest).functions
    assert "GONE" not in worker.environment


def test_routes_and_triggers(tmp_path: Path) -> None:
    rest = """      Events:
        Get: {Type: HttpApi, Properties: {Method: get, Path: "/a/{b}"}}
        Any: {Type: HttpApi, Properties: {Path: /c, TimeoutInMillis: 1500}}
        Else: {Type: HttpApi}
        Daily: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
        Dropped:
          Type: S3
          Properties:
            Bucket: !Ref Inbox
            Events: s3:ObjectCreated:*
            Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}, {Name: suffix, Value: .jpg}]}}
"""
    [worker] = read(tmp_path, rest).functions
    assert worker.routes == (
        Route("GET", "/a/{b}"),
        Route("ANY", "/c", 1.5),
        Route("ANY", "$default"),
    )
    assert [route.key for route in worker.routes] == ["GET /a/{b}", "ANY /c", "$default"]
    assert worker.triggers == (
        S3Trigger("imagesearch-local-dev-inbox", ("s3:ObjectCreated:*",), "in/", ".jpg"),
    )


def test_resources_whose_condition_fails_are_left_out(tmp_path: Path) -> None:
    rest = """  Rare:
    Type: AWS::Serverless::Function
    Condition: IsProd
    Properties: {CodeUri: nowhere}
"""
    assert [function.name for function in read(tmp_path, rest).functions] == ["w-dev"]


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("      Environment: {Variables: {V: !Ref Nobody}}\n", "Nobody"),
        ("      Environment: {Variables: {V: !Ref Needed}}\n", "Needed"),
        ("      Environment: {Variables: {V: !ImportValue x}}\n", "Fn::ImportValue"),
        ("      Environment: {Variables: {V: !If [Nope, a, b]}}\n", "Nope"),
        ("      Events: {A: {Type: S3, Properties: {}}}\n", "cannot be understood"),
        ("  Other: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere}}\n", "CodeUri"),
        ("  }: [", "not YAML"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(tmp_path: Path, rest: str, says: str) -> None:
    with pytest.raises(TemplateFailure, match=says):
        read(tmp_path, rest)


def test_a_missing_or_other_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateFailure, match="cannot read"):
        Template.read(tmp_path / "none.yaml")
    with pytest.raises(TemplateFailure, match="no Resources"):
        read(tmp_path, "", head="just: text\n")


def test_the_projects_template_can_be_run() -> None:
    template = Template.read(PROJECT)
    keys = [route.key for function in template.functions for route in function.routes]
    assert "POST /v1/instances/{instance}/search" in keys
    assert len(keys) == len(set(keys))
    assert template.buckets
    for function in template.functions:
        assert function.environment["IMAGESEARCH_BUCKET"] in template.buckets


def test_the_toy_template_is_read() -> None:
    template = Template.read(TOY)
    assert [function.label for function in template.functions] == ["Echo", "Brief", "Store"]
    assert template.buckets == ("imagesearch-local-000000000000",)
