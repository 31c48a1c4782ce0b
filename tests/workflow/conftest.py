"""A copy of the project with a finished micro study, and a way to run it again."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.support.warm_interpreter import warm_interpreter
from tests.support.workflow import Workflow, copy_project, write_images

CHROMIUM = next(
    (
        p
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (p := shutil.which(name))
    ),
    "",
)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function that makes a study once for all workers of the test run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def once(name: str, make) -> Workflow:
        """``make(folder)`` by whoever comes first; the others wait for it."""
        folder, done = shared / name, shared / f"{name}.done"
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return Workflow(folder)

    return once


@pytest.fixture(scope="session")
def warm():
    """A function that gives a study an interpreter that starts quickly."""

    def give(study: Workflow) -> Workflow:
        study.python = warm_interpreter()
        return study

    return give


@pytest.fixture(scope="session")
def finished(once, warm) -> Workflow:
    """The micro study, run once from nothing; tests work on copies of it."""

    def make(folder: Path) -> None:
        workflow = warm(copy_project(folder))
        write_images(workflow.folder / "own")
        workflow.run()

    return once("micro", make)


@pytest.fixture
def study(finished, warm, tmp_path) -> Workflow:
    return warm(finished.copy(tmp_path))


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no Chromium here; .ci/run installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open a file offline; it must make no request, open no dialog and end without an error."""
    context = browser.new_context(
        offline=True, viewport={"width": 1400, "height": 1000}
    )
    page, told, asked, dialogs = context.new_page(), [], [], []
    page.on("console", lambda message: told.append((message.type, message.text)))
    page.on("pageerror", lambda error: told.append(("error", str(error))))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))

    def go(path):
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        return page

    yield go
    assert [text for kind, text in told if kind == "error"] == []
    assert dialogs == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob", "about"}
    assert sum(url.startswith("file:") for url in asked) == 1
    context.close()
