"""The demo: its users, its seeded shop and the lab that produces its telemetry."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from accounts.models import ApiToken, Role, Scope, User, hash_token
from incidents import demo as shop
from incidents.lab import INBOX_PATH
from reliability_studio import children, demo_history
from reliability_studio.preflight import LAB_KUBECONFIG, CannotStart
from slos import demo as objectives

LAB_READY_SECONDS = 60.0
LAB_HISTORY_READY_SECONDS = 120.0
LAB_HISTORY_SECONDS = 3600
LAB_TOKEN_NAME = "lab"  # noqa: S105
PEOPLE = {"admin": Role.ADMIN, "sam": Role.RESPONDER, "vera": Role.VIEWER}
TELEMETRY = {
    "PROMETHEUS_URL": "prometheus",
    "LOKI_URL": "loki",
    "TEMPO_URL": "tempo",
    "ALERTMANAGER_URL": "alertmanager",
}


class Lab:
    """The lab's process, and where it answers once it is ready."""

    def __init__(self, process: subprocess.Popen[bytes], token: str, port_file: Path) -> None:
        self.process = process
        self.token = token
        self.log = port_file.with_suffix(".log")
        self._port_file = port_file
        self._stopping = False

    def attach(self) -> None:
        """Wait for the lab and point the settings at it. Raises CannotStart if it ended."""
        url = f"http://127.0.0.1:{self._port()}"
        settings.LAB_URL = url
        for name, path in TELEMETRY.items():
            if not getattr(settings, name):
                setattr(settings, name, f"{url}/{path}")
        if not settings.KUBECONFIG:
            settings.KUBECONFIG = str(_write_kubeconfig(self._port_file.parent, url))
        threading.Thread(target=self._watch, name="lab-watch", daemon=True).start()

    def await_history(self, given_up: threading.Event) -> None:
        """Until its stand-ins answer: they do not while the lab simulates its past hour.

        An analysis that asks them earlier fails: one that an earlier run left behind, say.
        """
        deadline = time.monotonic() + LAB_HISTORY_READY_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{settings.LAB_URL}/prometheus/-/ready", timeout=5):  # noqa: S310
                    return
            except urllib.error.HTTPError as too_early:
                too_early.close()
            except OSError:
                pass
            if given_up.wait(0.2):
                return

    def _port(self) -> int:
        deadline = time.monotonic() + LAB_READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise CannotStart(
                    f"The lab ended with code {self.process.returncode}; see {self.log}."
                )
            try:
                return int(self._port_file.read_text())
            except (FileNotFoundError, ValueError):
                time.sleep(0.02)  # not written yet, or not all of it
        raise CannotStart(f"The lab was not ready after {LAB_READY_SECONDS:.0f} s.")

    def _watch(self) -> None:
        code = self.process.wait()
        if not self._stopping:
            print(f"The lab ended with code {code}; see {self.log}.", file=sys.stderr)

    def stop(self) -> None:
        self._stopping = True
        children.stop(self.process, patience_seconds=3.0)
        self._port_file.unlink(missing_ok=True)


def _write_kubeconfig(directory: Path, lab_url: str) -> Path:
    """The kubeconfig of the lab's cluster: its address changes with every start."""
    path = directory / LAB_KUBECONFIG
    cluster = {"server": f"{lab_url}/kubernetes"}
    context = {"cluster": "lab", "user": "lab"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "contexts": [{"name": "lab", "context": context}],
        "users": [{"name": "lab", "user": {}}],
    }
    path.write_text(json.dumps(config, indent=1))  # JSON is YAML too
    return path


def start_lab(directory: Path, webhook_url: str) -> Lab:
    """Start the lab as a child that ends with us. Call it from the main thread."""
    port_file = directory / "lab.port"
    port_file.unlink(missing_ok=True)
    token = f"rst_{secrets.token_urlsafe(32)}"
    command = [sys.executable, "-m", "lab", "--port", "0", "--webhook-url", webhook_url]
    command += ["--token-env", "LAB_TOKEN", "--port-file", str(port_file)]
    command += ["--history", str(LAB_HISTORY_SECONDS)]
    with (directory / "lab.log").open("wb") as log:
        process = children.start(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=settings.BASE_DIR,
            env=os.environ | {"LAB_TOKEN": token},
            start_new_session=True,  # Ctrl-C is for us: we end it, after ourselves
        )
    return Lab(process, token, port_file)


def open_inbox() -> None:
    """Let notifications reach the lab, which is on this machine."""
    settings.OUTBOUND_ALLOWED_NETWORKS = [*settings.OUTBOUND_ALLOWED_NETWORKS, "127.0.0.1/32"]
    shop.seed_inbox(f"{settings.LAB_URL}{INBOX_PATH}")


@dataclass(frozen=True)
class Login:
    """A demo password, and whether it replaces the one an existing user has."""

    password: str
    replaces: bool
    shown: str


def _logins(kept_in: Path, names: Iterable[str]) -> dict[str, Login]:
    """Passwords from STUDIO_ADMIN_PASSWORD, else from the file, else new and put there."""
    try:
        kept: dict[str, str] = json.loads(kept_in.read_text())
    except (FileNotFoundError, ValueError):
        kept = {}
    logins = {}
    for name in names:
        given = os.environ.get("STUDIO_ADMIN_PASSWORD") if name == "admin" else None
        if given:
            logins[name] = Login(given, True, "(STUDIO_ADMIN_PASSWORD)")
        else:
            new = name not in kept
            password = kept.setdefault(name, secrets.token_urlsafe(12))
            logins[name] = Login(password, new, password)
    draft = kept_in.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(kept))
    draft.replace(kept_in)
    return logins


def prepare(directory: Path, lab: Lab | None) -> list[str]:
    """Users, the lab's token and the seeded shop; the lines that say how to log in."""
    logins = _logins(directory / "credentials.json", PEOPLE)
    lines = ["", "  user    password                  role"]
    for name, role in PEOPLE.items():
        shown = _ensure_user(name, role, logins[name])
        lines.append(f"  {name:<7} {shown:<25} {role.label.lower()}")
    if lab is not None:
        ApiToken.objects.update_or_create(
            name=LAB_TOKEN_NAME,
            owner=None,
            defaults={
                "prefix": lab.token[:10],
                "token_hash": hash_token(lab.token),
                "scopes": [Scope.INTAKE.value],
                "revoked_at": None,
            },
        )
    shop.seed()
    objectives.seed()
    demo_history.seed()
    return [*lines, ""]


def _ensure_user(name: str, role: Role, login: Login) -> str:
    """Create the user or keep it as it is; what to print as its password."""
    user = User.objects.filter(username=name).first()
    if user is None:
        is_admin = role == Role.ADMIN
        User.objects.create_user(
            username=name,
            email=f"{name}@studio.example",
            password=login.password,
            role=role,
            is_staff=is_admin,
            is_superuser=is_admin,
        )
    elif not user.check_password(login.password):
        if not login.replaces:
            return "(changed by its owner)"
        user.set_password(login.password)
        user.save(update_fields=["password"])
    return login.shown
