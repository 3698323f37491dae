"""The capacity plan follows from its records, and the manifests stand what it asks for."""

from __future__ import annotations

from dataclasses import replace

from benchmarks import capacity
from benchmarks.capacity_page import PAGE, objects, read_inputs, read_manifests, render, values
from benchmarks.capacity_plan import PEAK, Assumptions, limits, plan, pod_rate, pods

FIGURES, GIVEN, HAS = values(read_inputs()), Assumptions(), read_manifests()


def test_the_page_follows_from_the_records_and_the_manifests():
    assert PAGE.read_text(encoding="utf-8") == render(read_inputs(), GIVEN)
    capacity.main(["--check"])


def test_the_autoscaler_may_make_what_the_peak_takes():
    safe = min(pod_rate(FIGURES, GIVEN), HAS.target_rate)
    left = (HAS.most_pods - 1) * (GIVEN.zones - 1) / GIVEN.zones
    assert left * pod_rate(FIGURES, GIVEN) >= PEAK  # a zone lost, one more pod away
    assert HAS.most_pods * safe >= PEAK
    assert HAS.target_rate <= pod_rate(FIGURES, GIVEN) * (GIVEN.zones - 1) / GIVEN.zones
    assert HAS.most_pods >= pods(PEAK, FIGURES, GIVEN, HAS.target_rate)


def test_the_specified_maximum_would_not_do():
    assert pods(PEAK, FIGURES, GIVEN, HAS.target_rate) > 20


def test_pods_and_primaries_are_kept_in_different_zones():
    for kind, name in (("Deployment", "service.yaml"), ("StatefulSet", "valkey.yaml")):
        zone, _ = objects(name)[kind]["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert (zone["topologyKey"], zone["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "DoNotSchedule")


def test_a_smaller_margin_takes_more_machines():
    sure, bold = replace(GIVEN, margin=0.35), GIVEN
    name = "pods, one zone lost and one more away"
    assert plan(100_000, FIGURES, sure, HAS)[name] > plan(100_000, FIGURES, bold, HAS)[name]
    assert sum(at for at, _, _ in limits(FIGURES, sure, HAS)) < sum(at for at, _, _ in limits(FIGURES, bold, HAS))


def test_twice_the_autoscaler_moves_its_limit():
    def limit(pods_at_most: int) -> float:
        found = limits(FIGURES, GIVEN, replace(HAS, most_pods=pods_at_most))
        return next(at for at, part, _ in found if part.startswith("autoscaler"))

    assert limit(40) == 2 * limit(20)
