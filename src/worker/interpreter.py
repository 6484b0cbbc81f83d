# SPDX-License-Identifier: GPL-2.0-only
"""Loads a function's file once and forks a process for each request.

Standard input is a socket. What comes there is {"Run": {"job": N}} with the
request's standard input, output and error, or {"Kill": {"job": N}}; what is
answered is {} once the file is loaded, and then how each job has ended.
"""
import importlib.util
import json
import os
import resource  # which os.wait4 would look for when it is too late to say so
import select
import signal
import socket
import sys
import time
import traceback

MESSAGE_BYTES = 8192


def load(path):
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location("f", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["f"] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "f", None)):
        raise TypeError(f"{path} has no function f(event)")
    return module.f


def work(function, fds):
    """The life of a request's process."""
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        os.closerange(3, 1024)
        with open(0, encoding="utf-8", closefd=False) as given:
            text = given.read()
        # Not a number is no JSON, though Python would write it.
        answer = json.dumps(function(json.loads(text) if text else None), allow_nan=False)
        sys.stdout.flush()
        with open(1, "w", encoding="utf-8", closefd=False) as out:
            out.write(answer)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stderr.flush()
        finally:
            os._exit(code & 0xFF)


def main():
    control = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    # What a function prints is no part of its answer.
    sys.stdout = sys.stderr
    function = load(sys.argv[1])
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    control.send(b"{}")

    started, pids = {}, {}
    poller = select.poll()
    for fd in (control.fileno(), woken):
        poller.register(fd, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poller.poll()]
        if woken in ready:
            os.read(woken, 4096)
            while started:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None:
                    break
                pid = found.si_pid
                kill(pid)
                _, status, usage = os.wait4(pid, 0)
                job, start_ns = started.pop(pid, (None, 0))
                if job is None:
                    continue
                pids.pop(job, None)
                signalled = os.WIFSIGNALED(status)
                number = os.WTERMSIG(status) if signalled else os.WEXITSTATUS(status)
                ending = {
                    "job": job,
                    "status": {"Signalled" if signalled else "Exited": number},
                    "start_ns": start_ns,
                    "end_ns": time.monotonic_ns(),
                    "cpu_ns": int((usage.ru_utime + usage.ru_stime) * 1e9),
                    "switches": usage.ru_nvcsw + usage.ru_nivcsw,
                }
                control.send(json.dumps(ending).encode())
        if control.fileno() in ready:
            data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
            if not data:
                for pid in started:
                    kill(pid)
                return
            order = json.loads(data)
            if "Kill" in order:
                pid = pids.get(order["Kill"]["job"])
                if pid is not None:
                    kill(pid)
                continue
            job = order["Run"]["job"]
            try:
                pid = os.fork()
            except OSError as error:
                ending = {
                    "job": job,
                    "status": {"NotStarted": error.errno},
                    "start_ns": 0,
                    "end_ns": 0,
                    "cpu_ns": 0,
                    "switches": 0,
                }
                control.send(json.dumps(ending).encode())
            else:
                if pid == 0:
                    work(function, fds)
                started[pid] = (job, time.monotonic_ns())
                pids[job] = pid
            for fd in fds:
                os.close(fd)


def kill(pid):
    """A child that is not reaped yet, and the group it leads."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


main()
