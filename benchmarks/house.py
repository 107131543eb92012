"""How the code is cut: `make figures` prints one table.

Of the five packages, without migrations and empty files. A function's lines are those of its
definition, without its decorators.
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("accounts", "audit", "cryptocore", "gallery", "imageshare")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def files_of(*packages: str) -> dict[Path, ast.Module]:
    """Return the trees of the files that hold anything."""
    paths = chain.from_iterable(sorted((ROOT / name).rglob("*.py")) for name in packages)
    texts = {path: path.read_text() for path in paths if "migrations" not in path.parts}
    return {path: ast.parse(text) for path, text in texts.items() if text.strip()}


def functions_of(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def lines_of(function: Function) -> int:
    return function.end_lineno - function.lineno + 1


def names_used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr


def private_with_one_use(files: dict[Path, ast.Module]) -> int:
    """Count functions called `_name` whose name is used once in their file."""
    found = 0
    for tree in files.values():
        uses = Counter(names_used(tree))
        names = [function.name for function in functions_of(tree)]
        found += sum(name[0] == "_" != name[1] and uses[name] == 1 for name in names)
    return found


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Yield modules, and names taken from one: those may be modules, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    """Return the file or folder of a package that a module is in."""
    return ".".join(module.split(".")[:2])


def arrows_between(files: dict[Path, ast.Module]) -> set[tuple[str, str]]:
    """Return which file imports which, of these."""
    imports = {module_of(path): {*imports_of(tree)} for path, tree in files.items()}
    return {(one, other) for one in imports for other in imports[one] & imports.keys() - {one}}


def number_of_tests() -> str:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()[-1].split()[0]


def spread(sizes: Iterable[int]) -> str:
    ordered = sorted(sizes)
    return f"{median(ordered):.0f} / {ordered[len(ordered) * 9 // 10]} / {ordered[-1]}"


def main() -> None:
    files, accounts = files_of(*PACKAGES), files_of("accounts")
    functions = [
        (lines_of(function), f"{module_of(path)}.{function.name}")
        for path, tree in files.items()
        for function in functions_of(tree)
    ]
    single = private_with_one_use(files)
    arrows = arrows_between(accounts)
    rooms = {room_of(module_of(path)) for path in accounts}
    between = {(room_of(one), room_of(other)) for one, other in arrows}
    between = {arrow for arrow in between if arrow[0] != arrow[1]}
    rows = {
        "files": str(len(files)),
        "their lines: median / 9 in 10 below / longest": spread(
            len(path.read_text().splitlines()) for path in files
        ),
        "functions": str(len(functions)),
        "their lines, likewise": spread(lines for lines, _ in functions),
        "private functions with one use, of all": f"{single} ({single / len(functions):.0%})",
        "files of accounts, imports between them": f"{len(accounts)}, {len(arrows)}",
        "rooms of accounts (files, folders), arrows between them": f"{len(rooms)}, {len(between)}",
        "tests": number_of_tests(),
    }
    longest = sorted(functions, reverse=True)[:5]
    rows |= {f"longest: {name}": f"{lines} lines" for lines, name in longest}
    for name, value in rows.items():
        print(f"{name:<{max(map(len, rows))}}  {value}")


if __name__ == "__main__":
    main()
