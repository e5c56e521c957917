"""Imports go one way, and no vendor is named where judgements are made."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "conformance"

BASE = {"conformance", "errors", "verdicts"}
CHECKS = BASE | {"wire", "schema", "generate", "checks"}
ENGINE = CHECKS | {"targets", "options", "engine"}
SESSION = ENGINE | {"report", "reference", "session", "planning", "resuming", "rundir", "progress"}

#: Layer → the layers it may import. ``reference`` is imported by whoever starts it, and by name.
MAY_IMPORT = {
    "errors": BASE,
    "verdicts": BASE,
    "wire": BASE | {"wire"},
    "schema": BASE | {"schema"},
    "generate": BASE | {"schema", "generate"},
    "checks": CHECKS,
    "targets": BASE | {"wire", "schema", "targets"},
    "options": BASE | {"checks", "schema", "targets", "options"},
    "engine": ENGINE | {"reference"},
    "report": BASE | {"wire", "report"},
    "reference": BASE | {"reference"},
    "progress": ENGINE | {"progress"},
    "rundir": SESSION - {"reference"},
    "resuming": SESSION - {"reference"},
    "session": SESSION - {"reference"},
    "planning": SESSION,
    "plugin": SESSION - {"reference"} | {"plugin"},
    "cli": SESSION | {"cli"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def layer(name):
    """The layer of a dotted module name; the package itself only knows its version."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__version__" else parts[0]


def imports(path):
    """Dotted names of the package's modules that ``path`` imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield from (
                f"{module}.{each.name}" if module == "conformance" else module
                for each in node.names
            )


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_layer_imports_only_what_is_below_it(name):
    """Wire, schema and generate; checks; engine; session; plugin and command line."""
    paths = [p for p in MODULES if p.relative_to(PACKAGE).with_suffix("").parts[0] == name]

    wrong = [
        f"{path.relative_to(ROOT)} imports {each}"
        for path in paths
        for each in imports(path)
        if each.split(".")[0] == "conformance" and layer(each) not in MAY_IMPORT[name]
    ]

    assert paths
    assert [] == wrong


def test_every_module_belongs_to_a_layer():
    """A new top-level module or package has to be given its place."""
    found = {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in MODULES}

    assert set(MAY_IMPORT) == found - {"__init__", "__main__"}


def test_checks_use_no_pytest():
    """Checks are plain functions: neither they nor the engine know pytest."""
    below = [p for p in MODULES if p.relative_to(PACKAGE).parts[0] not in {"plugin"}]

    assert [] == [str(p) for p in below if "pytest" in {e.split(".")[0] for e in imports(p)}]


VENDORS = re.compile(
    r"deeptrin|anthropic|mistral|together\.?ai|\bgroq|fireworks|deepseek|vllm|sglang|ollama|llama\.?cpp"
    r"|mlx|openrouter|azure|bedrock|litellm|tgi\b",
    re.IGNORECASE,
)


def identifiers_and_strings(path):
    """Code without comments and docstrings: what a judgement may depend on."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    sources = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Source"
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in documentation | sources:
            continue
        for name in ("id", "attr", "name", "arg"):
            if isinstance(getattr(node, name, None), str):
                yield getattr(node, name)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("name", ["checks", "engine", "wire"])
def test_no_vendor_is_named_where_judgements_are_made(name):
    """What differs between vendors lives in profiles and targets; sources may be cited."""
    found = [
        f"{path.relative_to(ROOT)}: {text[:60]!r}"
        for path in (PACKAGE / name).rglob("*.py")
        for text in identifiers_and_strings(path)
        if VENDORS.search(text)
    ]

    assert [] == found
