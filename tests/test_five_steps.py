"""Adding an operation in five steps, as CONTRIBUTING has them, walked in a copy of the project."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys

import httpx
import pytest

from support.hosting import assert_envelope
from support.running import ROOT, relay, serving_demo

PATH = "/api/calls/voice-ai/numbers/count"
OPERATION = """\
  /api/calls/voice-ai/numbers/count:
    get:
      tags: [Calls]
      summary: Count the organization's Sinch numbers
      operationId: count_calls_voice_ai_numbers
      parameters:
        - name: aiEnabled
          in: query
          description: Only numbers on which the voice agent answers, or does not
          schema: {type: boolean}
      responses:
        '200':
          description: How many there are
          content:
            application/json:
              schema:
                type: object
                required: [count]
                properties: {count: {type: integer, minimum: 0}}
                additionalProperties: false
        '400': &failed
          description: It failed
          content: {application/json: {schema: {$ref: '#/components/schemas/CallsErrorResponse'}}}
        '401': *failed
        '500': *failed
      security: [{bearerAuth: []}]
"""


@pytest.fixture
def project(tmp_path):
    """A copy of what the five steps touch, as a checkout of its own."""
    for name in ("handlers", "scripts", "spec"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "bench"))
    for name in ("pyproject.toml", "tox.ini"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(project, *arguments):
    """Run a `relay` command of the copy, which has to succeed."""
    result = relay(project, *arguments, PYTHONPATH=f"{project}{os.pathsep}{project}/scripts")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def ask(project):
    """Start the demo of the copy and ask the new operation, signed in."""
    with serving_demo(project, PYTHONPATH=f"{project}{os.pathsep}{project}/scripts") as service:
        headers = {"Authorization": f"Bearer {service.token}"}
        return httpx.get(f"{service.url}{PATH}", params={"aiEnabled": "true"}, headers=headers)


def edit_the_contract(project):
    """Step 1: write the operation into the contract by hand."""
    spec = project / "spec/openapi.yaml"
    spec.write_text(spec.read_text("utf-8").replace("components:\n", f"{OPERATION}components:\n"), "utf-8")


def fill_the_body(project):
    """Step 4: say what the operation does; collaborators are arguments, last."""
    module = project / "handlers/calls.py"
    source = module.read_text("utf-8")
    signature = re.search(r"async def count_calls_voice_ai_numbers\(\n?(.*?)\) -> ", source, re.DOTALL)
    filled = f"{signature[1].strip().rstrip(',')}, caller: Caller, store: Store"
    source = source.replace("import VoiceAiSettings", "import Store, VoiceAiSettings")
    source = source.replace(signature[1], filled).replace(
        "    raise NotImplementedError\n",
        "    _, numbers = await store.voice_ai(caller.organization_id)\n"
        "    wanted = [one for one in numbers if ai_enabled in (None, one.get('aiEnabled', False))]\n"
        "    return {'count': len(wanted)}\n",
    )
    module.write_text(source, "utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(module)], check=True, cwd=project)


def checks(*environments):
    """The commands of tox's environments, without what a person may add."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    for name in environments:
        for line in tox[f"testenv:{name}"]["commands"].strip().splitlines():
            yield shlex.split(re.sub(r"\{posargs:?([^}]*)\}", r"\1", line))


@pytest.mark.slow
def test_five_steps_add_an_operation(project):
    """Each does what CONTRIBUTING says, and what was written before is still there."""
    before = (project / "handlers/calls.py").read_text("utf-8")

    edit_the_contract(project)
    run(project, "lint")
    printed = run(project, "regenerate")
    assert "added count_calls_voice_ai_numbers in handlers/calls.py" in printed
    assert_envelope(ask(project), 501, "NOT_IMPLEMENTED")
    fill_the_body(project)

    for program, *arguments in checks("lint", "spec", "regenerate", "drift"):
        if program == "relay":
            run(project, *arguments)
        else:
            subprocess.run([sys.executable, "-m", program, *arguments], cwd=project, check=True)
    answer = ask(project)
    assert (answer.status_code, answer.json()) == (200, {"count": 1})
    written = (project / "handlers/calls.py").read_text("utf-8")
    assert before.partition("async def ")[2] in written


def test_contributing_has_these_five_steps():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text.partition("## Add an operation in five steps")[2].partition("\n## ")[0]

    steps = re.findall(r"^\d\. \*\*([^*]*)\*\*", section, re.MULTILINE)

    assert steps == [
        "Edit the contract",
        "`relay lint`",
        "`relay regenerate`",
        "Fill the body.",
        "`scripts/test`",
    ]
