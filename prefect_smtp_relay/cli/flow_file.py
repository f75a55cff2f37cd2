"""A flow in a Python file, run for the mails it sends."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from os import environ
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.exceptions import ParameterTypeError, ScriptError
from prefect.utilities.importtools import load_script_as_module

from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.cli.plain_calls import call_flow, check_parameters, plain_calls
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.transports.recording import Preview, capturing

_RUN = "PREFECT__RUNTIME__FLOW_RUN__"
"""How Prefect lets tests say what `prefect.runtime.flow_run` answers."""

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}

until_the_end = ExitStack()
"""What holds until the process ends: a thread that outlives its flow must submit nothing either."""


class FlowFailed(Exception):
    """The flow itself raised something; exit code 1."""


def mails_of_flow(path: Path, name: str, context: Mapping[str, Any]) -> list[Preview]:
    """Run a flow, and keep its mails.

    Args:
        path: the file.
        name: of the flow's function in it; blank where it holds one flow.
        context: the flow's parameters.

    Raises:
        UsageError: there is no such flow, or the parameters are not its own.
        EmailError: a mail of it is wrong.
        FlowFailed: it raised something else.
    """
    captor = until_the_end.enter_context(capturing())
    with plain_calls(), redirect_stdout(sys.stderr):
        flow = _load(path, name)
        parameters = _check(flow, context)
        with _runtime(flow.name):
            try:
                call_flow(flow, parameters)
            except EmailError:
                raise
            except Exception as error:
                raise FlowFailed(_told(error, path)) from error
    return captor.previews


def _load(path: Path, name: str) -> Flow[Any, Any]:
    try:
        found = vars(load_script_as_module(str(path)))
    except ScriptError as error:
        raise UsageError(_told(error.user_exc, path)) from error
    flows = {key: value for key, value in found.items() if isinstance(value, Flow)}
    if name:
        if name not in flows:
            raise UsageError(f"{path}: there is no flow {name!r}; {_choice(path, flows)}")
        return flows[name]
    # What it imports from elsewhere is not what it is about.
    own = {key: f for key, f in flows.items() if f.fn.__module__ == found["__name__"]}
    if len(own) != 1:
        raise UsageError(f"{path}: holds {len(own) or 'no'} flows; {_choice(path, own)}")
    return next(iter(own.values()))


def _choice(path: Path, flows: Mapping[str, Any]) -> str:
    names = " or ".join(f"{path}:{name}" for name in flows)
    return f"name one: {names}." if names else "name a file with a function under @flow."


def _check(flow: Flow[Any, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    _check_names(flow, context)
    try:
        return check_parameters(flow, context)
    except ParameterTypeError as error:
        # Below a heading, one line for each wrong value.
        told = "; ".join(line.strip(" -") for line in str(error).splitlines()[1:])
        raise UsageError(f"--context: {told or error}. Correct the JSON.") from error


def _check_names(flow: Flow[Any, Any], context: Mapping[str, Any]) -> None:
    known = inspect.signature(flow.fn).parameters
    required = [n for n, p in known.items() if p.default is p.empty and p.kind not in _VARIADIC]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known.values())
    problems = [f"{name} is missing" for name in required if name not in context]
    problems += [f"there is no {name}" for name in context if not takes_any and name not in known]
    if problems:
        names = ", ".join(known) or "none"
        raise UsageError(
            f"--context: {'; '.join(problems)}. The parameters of the flow {flow.name!r} are"
            f" {names}: write them into a JSON file."
        )


@contextmanager
def _runtime(flow_name: str) -> Iterator[None]:
    """Give the footer a flow and a run to name."""
    told = {f"{_RUN}ID": "preview", f"{_RUN}NAME": "preview", f"{_RUN}FLOW_NAME": flow_name}
    before = {name: environ.get(name) for name in told}
    environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            environ.pop(name) if value is None else environ.update({name: value})


def _told(error: Exception, path: Path) -> str:
    """Say what was raised, and in which line of the file; there is no traceback to read."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
    place = f"{path}, line {lines[-1]}" if lines else str(path)
    return f"{place}: {type(error).__name__}: {error}"
