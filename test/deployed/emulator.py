"""Runs MiniStack for the deployed tests: as it is, but for the corrections below, each to what AWS documents, and never longer than the process that started it."""

import json
import os
import signal
import threading
import time

from ministack.app import main
from ministack.core import iam_actions, lambda_runtime
from ministack.services import lambda_svc, secretsmanager, stepfunctions

STOP_SECONDS = 5
MARK = "rekey-test-error"


def leave_with_parent():
    """Our stdin ends when the process that started us ends, even when it was killed. Functions run in processes of our group."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os.killpg(0, signal.SIGKILL)


def keep_errors():
    """
    On AWS an error of a Node function has its `name` as errorType, and workflows retry and catch by it; and the process goes on to the next event.
    This version says Runtime.HandlerError for each, and starts another process. So the error travels as an answer, and becomes an error again where
    it arrives.
    """
    said = """          _realStdoutWrite(JSON.stringify({
            status: "error", error: String(err.message || err), trace: err.stack || ""
          }) + "\\n");"""
    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    if script.count(said) != 1:
        raise SystemExit("this is not the version of MiniStack that emulator.py corrects")
    answered = """          _realStdoutWrite(JSON.stringify({ status: "ok", result: { "MARK": {
            errorType: String(err.name), errorMessage: String(err.message || err)
          } } }) + "\\n");""".replace("MARK", MARK)
    lambda_runtime._NODEJS_WORKER_SCRIPT = script.replace(said, answered)
    execute = lambda_svc._execute_function_warm

    def execute_named(*args):
        result = execute(*args)
        body = result.get("body")
        if isinstance(body, dict) and MARK in body:
            return {**result, "body": body[MARK], "error": True}
        return result

    lambda_svc._execute_function_warm = execute_named


def keep_what_runs():
    """On AWS an invocation ends in the environment in which it began, also when its function is updated or deleted meanwhile. This version ends it."""
    kill, release = lambda_runtime.kill_workers, lambda_svc.release_worker

    def kill_idle(workers):
        for worker in workers:
            worker.retired = True
        kill([worker for worker in workers if not worker.in_use])

    def release_known(worker):
        release(worker)
        if getattr(worker, "retired", False):
            kill([worker])

    lambda_runtime.kill_workers = kill_idle
    lambda_svc.release_worker = release_known


def keep_first_version_id():
    """AWS takes the ClientRequestToken of CreateSecret for the id of the first version, as it does for later ones. This version makes one up."""
    create = secretsmanager._create_secret

    def create_named(data):
        answer = create(data)
        token, secret = data.get("ClientRequestToken"), secretsmanager._secrets.get(data.get("Name"))
        if answer[0] != 200 or not token or not secret:
            return answer
        made = json.loads(answer[2])
        secret["Versions"][token] = secret["Versions"].pop(made["VersionId"])
        return answer[0], answer[1], json.dumps({**made, "VersionId": token}).encode()

    for name, handler in vars(secretsmanager).items():
        if isinstance(handler, dict) and handler.get("CreateSecret") is create:
            handler["CreateSecret"] = create_named
    secretsmanager._create_secret = create_named


def keep_tokens_of_their_machine():
    """
    AWS asks for the right to answer a token on the state machine that gave it, and a function that fails ends the wait for its token.
    This version asks for the right on anything, and waits on.
    """
    here = threading.local()
    machines = {}
    execute, callback, call = stepfunctions._execute_task, stepfunctions._invoke_with_callback, stepfunctions._call_lambda
    resource = iam_actions.extract_resource_arn

    def execute_known(state_def, raw_input, execution, ctx):
        here.machine = (execution or {}).get("stateMachineArn")
        return execute(state_def, raw_input, execution, ctx)

    def callback_known(service, input_data, token, state_def):
        machines[token], here.token = here.machine, token
        try:
            return callback(service, input_data, token, state_def)
        finally:
            here.token = None

    def call_known(*args, **more):
        try:
            return call(*args, **more)
        except stepfunctions._ExecutionError as failure:
            waiting = stepfunctions._task_tokens.get(getattr(here, "token", None))
            if waiting:
                waiting["error"] = {"Error": failure.error, "Cause": failure.cause}
                waiting["event"].set()
            raise

    def resource_known(service, method, path, headers, body, *more):
        found = resource(service, method, path, headers, body, *more)
        if service != "states" or found != "*":
            return found
        try:
            return machines.get(json.loads(body).get("taskToken")) or found
        except ValueError:
            return found

    stepfunctions._execute_task = execute_known
    stepfunctions._invoke_with_callback = callback_known
    stepfunctions._call_lambda = call_known
    iam_actions.extract_resource_arn = resource_known


threading.Thread(target=leave_with_parent, daemon=True).start()
keep_errors()
keep_what_runs()
keep_first_version_id()
keep_tokens_of_their_machine()
main()
