"""The manifests: valid, as specified, and in step with what the service reads and answers."""

from __future__ import annotations

import ast
from itertools import takewhile
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import ValidationError
from typer.testing import CliRunner

from fraudkit.audit.archive import FOLDER as ARCHIVE_FOLDER
from fraudkit.audit.expire import check_days
from fraudkit.cli import COMMANDS, app
from fraudkit.core.config import read_settings
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.serve.app import declare_app
from fraudkit.serve.auth import scope_needed
from fraudkit.serve.metrics import ServiceMetrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = "1.37"
NOT_OURS = {"NUMBA_CACHE_DIR", "POD_IP"}  # numba reads the one, the Valkey command names the other


def documents() -> list[dict[str, Any]]:
    """Every object of every manifest, in order."""
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in kustomization["resources"]]
    return [document for text in texts for document in yaml.safe_load_all(text)]


OBJECTS = {(document["kind"], document["metadata"]["name"]): document for document in documents()}
DEPLOYMENT = OBJECTS["Deployment", "fraud-detection"]["spec"]
CONFIG = OBJECTS["ConfigMap", "fraudkit"]["data"]


def pod_specs() -> dict[str, dict[str, Any]]:
    """Name -> pod specification, of everything that runs pods."""
    running = {
        "service": DEPLOYMENT,
        "valkey": OBJECTS["StatefulSet", "valkey"]["spec"],
        "archive": OBJECTS["Deployment", "fraud-archive"]["spec"],
        "retraining": OBJECTS["CronJob", "fraud-retraining"]["spec"]["jobTemplate"]["spec"],
        "retention": OBJECTS["CronJob", "fraud-retention"]["spec"]["jobTemplate"]["spec"],
    }
    return {name: spec["template"]["spec"] for name, spec in running.items()}


PODS = pod_specs()
API = PODS["service"]["containers"][0]


def names_read(folder: Path) -> set[str]:
    """Names that the package looks up in an environment: `env.get("NAME")`, `os.environ.get("NAME")`."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in {"env.get", "os.environ.get"}
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


@pytest.mark.parametrize("name", OBJECTS, ids="/".join)
def test_every_manifest_fits_the_schema(name):
    kubernetes_validate.validate(OBJECTS[name], VERSION, strict=True)


def test_a_wrong_type_and_an_unknown_field_are_found():
    """The check itself: both would be dropped or refused only by a cluster."""
    service = OBJECTS["Service", "fraud-detection"]
    for wrong in ({"ports": "8000"}, {"prots": []}):
        with pytest.raises(ValidationError):
            kubernetes_validate.validate({**service, "spec": {**service["spec"], **wrong}}, VERSION, strict=True)


def test_every_file_is_applied_and_no_object_comes_twice():
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    assert {path.name for path in FOLDER.glob("*.yaml")} == {"kustomization.yaml", *kustomization["resources"]}
    assert len(OBJECTS) == len(documents())


def test_sizes_are_the_specification_s():
    assert DEPLOYMENT["replicas"] == 10
    assert API["image"] == "fraud-detection:v3.0"
    assert API["resources"] == {
        "requests": {"cpu": "2", "memory": "4Gi"},
        "limits": {"cpu": "4", "memory": "8Gi"},
    }
    scaler = OBJECTS["HorizontalPodAutoscaler", "fraud-detection-hpa"]["spec"]
    assert scaler["minReplicas"] == 5  # the maximum is the capacity plan's: tests/deploy/test_capacity.py
    cpu, rate = scaler["metrics"]
    assert (cpu["resource"]["name"], cpu["resource"]["target"]["averageUtilization"]) == ("cpu", 70)
    assert rate["pods"] == {
        "metric": {"name": "requests_per_second"},
        "target": {"type": "AverageValue", "averageValue": "600"},  # the capacity plan's
    }


@pytest.mark.parametrize("pod", PODS)
def test_pods_run_without_rights(pod):
    spec = PODS[pod]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"]
        assert own["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("pod", PODS)
def test_every_mount_has_its_volume(pod):
    spec = PODS[pod]
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    if pod == "valkey":
        volumes |= {claim["metadata"]["name"] for claim in OBJECTS["StatefulSet", pod]["spec"]["volumeClaimTemplates"]}
    assert {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]} == volumes
    for volume in spec.get("volumes", []):
        for kind, key, named in (
            ("ConfigMap", "configMap", "name"), ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName"),
        ):  # fmt: skip
            assert key not in volume or (kind, volume[key][named]) in OBJECTS


def test_probes_ask_paths_that_need_no_key():
    paths = declare_app().openapi()["paths"]
    asked = [API[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]
    assert [probe["path"] for probe in asked] == ["/ready", "/health", "/health"]
    for probe in asked:
        assert "get" in paths[probe["path"]] and scope_needed(probe["path"]) is None
    annotations = DEPLOYMENT["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] in paths
    assert {annotations["prometheus.io/port"]} == {str(port["containerPort"]) for port in API["ports"]}


def test_the_service_reads_every_variable_it_is_given():
    entries = [
        entry for spec in PODS.values() for container in spec["containers"] for entry in container.get("env", [])
    ]
    given = set(CONFIG) | {entry["name"] for entry in entries}
    assert given - NOT_OURS <= names_read(ROOT / "fraudkit")


def test_settings_are_what_the_pods_mount_and_open():
    chosen = read_settings(CONFIG)
    mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in API["volumeMounts"]}
    assert mounts[str(chosen.home)] is False and mounts[str(chosen.registry)] is True
    assert [port["containerPort"] for port in API["ports"]] == [chosen.port]
    host, port = chosen.redis_url.removeprefix("redis+cluster://").split(":")
    service = OBJECTS["Service", host.partition(".")[0]]
    assert int(port) in {entry["port"] for entry in service["spec"]["ports"]}


def test_no_secret_is_written_down():
    assert not [kind for kind, _ in OBJECTS if kind == "Secret"]
    secret = {entry["name"] for entry in API["env"] if "secretKeyRef" in entry.get("valueFrom", {})}
    assert secret == {"FRAUDKIT_API_KEY", "DATABASE_URL", "FRAUDKIT_CARD_KEY"}
    made = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    for entry in API["env"]:
        assert f"--from-literal={entry['valueFrom']['secretKeyRef']['key']}=" in made


def test_the_service_may_reach_what_its_settings_name():
    egress = OBJECTS["NetworkPolicy", "fraud-detection"]["spec"]["egress"]
    assert {port["port"] for rule in egress for port in rule["ports"]} == {6379, 5432}


@pytest.mark.parametrize("pod", [name for name in PODS if name != "valkey"])
def test_pods_start_a_command_that_exists(pod):
    program, *words = PODS[pod]["containers"][0]["command"]
    assert program == "fraudkit" and words[0] in COMMANDS
    path = list(takewhile(lambda word: not word.startswith("--"), words))
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*path, "--help"])
    assert done.exit_code == 0
    assert all(word in done.output for word in words if word.startswith("--"))


def test_what_is_removed_was_archived_where_the_job_looks_and_is_not_taken_again():
    """The consumer writes to the folder that the job reads; the service refuses payments before their decision goes."""
    mounts = [
        {mount["mountPath"]: volume for mount in PODS[pod]["containers"][0]["volumeMounts"]
         for volume in PODS[pod]["volumes"] if volume["name"] == mount["name"]}
        for pod in ("archive", "retention")
    ]  # fmt: skip
    chosen = read_settings(CONFIG)
    folder = str(chosen.home / ARCHIVE_FOLDER)
    assert mounts[0][folder] == mounts[1][folder]
    command = PODS["retention"]["containers"][0]["command"]
    check_days(int(command[command.index("--days") + 1]), chosen.accepted_days)
    (database,) = PODS["retention"]["containers"][0]["env"]
    assert database in API["env"]


@pytest.mark.parametrize(("pod", "port"), [("archive", 6379), ("retention", 5432)])
def test_what_follows_decisions_may_reach_what_it_needs(pod: str, port: int):
    policy = OBJECTS["NetworkPolicy", f"fraud-{pod}"]["spec"]
    kind = {"archive": "Deployment", "retention": "CronJob"}[pod]
    spec = OBJECTS[kind, f"fraud-{pod}"]["spec"]
    labels = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert {entry["port"] for rule in policy["egress"] for entry in rule["ports"]} == {port}
    if port == 6379:
        ways_in = OBJECTS["NetworkPolicy", "valkey"]["spec"]["ingress"][0]["from"]
        assert {"podSelector": {"matchLabels": labels}} in ways_in


def test_selectors_find_the_pods():
    labels = [
        DEPLOYMENT["template"]["metadata"]["labels"],
        OBJECTS["StatefulSet", "valkey"]["spec"]["template"]["metadata"]["labels"],
    ]
    for kind, name in (("Service", "fraud-detection"), ("Service", "valkey")):
        assert OBJECTS[kind, name]["spec"]["selector"] in labels
    for kind, name in OBJECTS:
        if kind == "PodDisruptionBudget":
            assert OBJECTS[kind, name]["spec"]["selector"]["matchLabels"] in labels


def test_the_autoscaler_s_rate_is_counted_by_the_service():
    (rule,) = yaml.safe_load(OBJECTS["ConfigMap", "prometheus-adapter"]["data"]["config.yaml"])["rules"]
    rate = OBJECTS["HorizontalPodAutoscaler", "fraud-detection-hpa"]["spec"]["metrics"][1]
    assert rule["name"]["as"] == rate["pods"]["metric"]["name"]
    metrics = ServiceMetrics(FEATURE_NAMES)
    assert f"# TYPE {rule['seriesQuery'].partition('{')[0]} counter" in metrics.text().decode()
