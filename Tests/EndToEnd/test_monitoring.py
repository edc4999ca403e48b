"""What is watched by Prometheus and shown by Grafana exists, each alert fires when it is meant to, and the runbook says
what to do then."""

from __future__ import annotations

import json
import re

import pytest

from support.documents import documents
from support.metrics import HOST, Reading, needs_promtool, promtool
from support.stack import ROOT, wait_until
from support.variants import variant

FOLDER = ROOT / "systemd" / "monitoring"
RULES = (FOLDER / "alerts.yml").read_text()
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
ALERTS = re.findall(r"- alert: (\w+)", RULES)
METRIC = re.compile(r"\bchattrix_\w+")


def expressions() -> list[str]:
    """Of the dashboard's panels."""
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


@needs_promtool
def test_the_files_are_prometheus_own():
    promtool("check", "config", str(FOLDER / "prometheus.yml"))
    promtool("check", "rules", str(FOLDER / "alerts.yml"))


def test_a_host_is_one_page():
    text = (FOLDER / "prometheus.yml").read_text()
    assert re.findall(r"metrics_path: (\S+)", text) == [HOST]


@needs_promtool
def test_alerts_fire(tmp_path):
    """On the series of alerts.test.yml, and not before."""
    promtool("test", "rules", str(FOLDER / "alerts.test.yml"))


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_test_and_a_line_in_the_runbook(alert):
    tests = (FOLDER / "alerts.test.yml").read_text()
    fires = rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts:\n +- exp_labels"
    assert re.search(fires, tests)
    assert alert in documents()["nginx/guide/runbook.html"].words


def test_the_runbook_knows_no_other_alert():
    words = documents()["nginx/guide/runbook.html"].words
    assert {word for word in words if re.fullmatch(r"Chattrix\w+", word)} == set(ALERTS)


@needs_promtool
def test_the_dashboards_expressions_are_promql(tmp_path):
    """As rules, with Grafana's variables filled in."""
    rules = []
    for number, text in enumerate(expressions()):
        filled = text.replace("$__rate_interval", "1m").replace("$instance", ".+")
        assert "$" not in filled
        rules.append({"record": f"panel:{number}", "expr": filled})
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(path))


class TestMetrics:
    """Of a stack that sends webhooks."""

    pytestmark = variant("webhooks")

    def test_what_is_named_exists(self, people):
        """Each metric of an alert or a panel is on the page of the host, and the page's are all shown or watched."""
        people.person().socket()
        reading = Reading(people.stack)
        wait_until(lambda: "chattrix_webhooks_pending" in Reading(people.stack).names)
        there = Reading(people.stack).names | reading.names
        named = set(METRIC.findall(RULES)) | {
            name for text in expressions() for name in METRIC.findall(text)
        }
        assert named and not named - there
        families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in there}
        assert not families - {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}

    def test_labels_that_are_named_exist(self, people):
        """Each label and value that an alert picks series by."""
        people.person().socket()
        wait_until(lambda: "chattrix_webhooks_pending" in Reading(people.stack).names)
        samples = Reading(people.stack).samples
        for name, picked in re.findall(r"(chattrix_\w+)\{([^}]*)\}", RULES):
            for label, operator, value in re.findall(r'(\w+)(=~?)"([^"]*)"', picked):
                having = [labels.get(label) for found, labels, _ in samples if found == name]
                # Handshakes are listed by the statuses that there were.
                if (name, label) == ("chattrix_signaling_handshakes_total", "status"):
                    assert having and None not in having
                else:
                    pattern = value if operator == "=~" else re.escape(value)
                    assert any(re.fullmatch(pattern, each or "") for each in having), (name, label)
