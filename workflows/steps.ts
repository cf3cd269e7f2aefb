import type { Ports } from '../core/ports.ts';
import { accept } from '../core/revoke/accept.ts';
import { attribute } from '../core/revoke/attribute.ts';
import { close } from '../core/revoke/close.ts';
import { disable } from '../core/revoke/disable.ts';
import { notify } from '../core/revoke/notify.ts';
import { validate } from '../core/revoke/validate.ts';
import { abort } from '../core/rotate/abort.ts';
import { confirm } from '../core/rotate/confirm.ts';
import { distribute } from '../core/rotate/distribute.ts';
import { issue } from '../core/rotate/issue.ts';
import { retire } from '../core/rotate/retire.ts';
import { rollBack } from '../core/rotate/roll-back.ts';
import { verify } from '../core/rotate/verify.ts';

/** What a step's function may touch, beyond the inventory, which every one reads and writes. infra turns each word into IAM statements. */
export type Right =
  | 'secrets.read'
  | 'secrets.write'
  | 'secrets.label'
  | 'fingerprints.make'
  | 'provider.list'
  | 'provider.create'
  | 'provider.disable'
  | 'provider.delete'
  | 'provider.endSessions'
  | 'destinations.read'
  | 'destinations.write'
  | 'notices.publish'
  | 'executions.rotate'
  | 'executions.revoke'
  | 'executions.answer';

/**
 * The payload of one attempt: the execution's, for Confirm the token that it waits on, for Abort the first cause.
 * Accept alone gets neither of the first three, because no operation exists yet: only `input` and `execution`.
 */
export interface StepPayload {
  readonly keyId: string;
  readonly operationId: string;
  readonly startSeq: number;
  readonly taskToken?: string;
  /** For Abort: the name of the error that began the rollback. */
  readonly error?: string;
  /** For Accept: what somebody started the execution with, and the execution's ARN. */
  readonly input?: unknown;
  readonly execution?: string;
}

/** What the workflow keeps of a step: instants, seconds and words for a Wait or a Choice, nothing else. */
export type StepResult = Readonly<Record<string, string | number | boolean>>;

/** One attempt of a step. `attemptId` is made anew by each invocation; it lets an attempt recognise its own acquire. */
export type RunStep = (ports: Ports, payload: StepPayload, attemptId: string) => Promise<StepResult>;

export interface Step {
  /** The state's name in the workflow files; `${<state>FunctionArn}` is its placeholder there. */
  readonly state: string;
  readonly workflows: readonly ('rotate' | 'revoke')[];
  /** The Lambda entry point, from the repository's root. */
  readonly entry: string;
  readonly may: readonly Right[];
  readonly run: RunStep;
}

/**
 * THE TABLE of steps. Adding a step is one row here, one state in a workflow file, and one small file in core/. Every step's
 * function has the same time-out, `functionSeconds` of the settings, because the quiesce is computed from it.
 */
export const steps: readonly Step[] = [
  row('Issue', ['rotate', 'revoke'], 'functions/rotate/issue.ts', issue, [
    'provider.list',
    'provider.create',
    'provider.delete',
    'secrets.read',
    'secrets.write',
    'fingerprints.make',
    'notices.publish',
  ]),
  row('Distribute', ['rotate', 'revoke'], 'functions/rotate/distribute.ts', distribute, [
    'secrets.read',
    'secrets.label',
    'destinations.read',
    'destinations.write',
    'notices.publish',
  ]),
  row('Confirm', ['rotate'], 'functions/rotate/confirm.ts', confirm, [
    'executions.answer',
    'provider.list',
    'destinations.read',
    'secrets.read',
    'notices.publish',
  ]),
  row('Verify', ['rotate', 'revoke'], 'functions/rotate/verify.ts', verify, ['secrets.read', 'provider.list', 'notices.publish']),
  row('Retire', ['rotate'], 'functions/rotate/retire.ts', retire, ['provider.list', 'provider.disable', 'secrets.read', 'notices.publish']),
  row('Abort', ['rotate'], 'functions/rotate/abort.ts', abort, ['executions.answer', 'notices.publish']),
  row('RollBack', ['rotate'], 'functions/rotate/roll-back.ts', rollBack, [
    'provider.list',
    'provider.disable',
    'secrets.read',
    'secrets.label',
    'destinations.read',
    'destinations.write',
    'notices.publish',
  ]),
  row('Accept', ['revoke'], 'functions/revoke/accept.ts', accept, ['provider.list', 'provider.disable', 'executions.revoke']),
  row('Disable', ['revoke'], 'functions/revoke/disable.ts', disable, [
    'provider.disable',
    'provider.endSessions',
    'executions.answer',
    'notices.publish',
  ]),
  row('Notify', ['revoke'], 'functions/revoke/notify.ts', notify, ['notices.publish']),
  row('Validate', ['revoke'], 'functions/revoke/validate.ts', validate, [
    'provider.list',
    'provider.disable',
    'provider.endSessions',
    'secrets.read',
    'notices.publish',
  ]),
  row('Attribute', ['revoke'], 'functions/revoke/attribute.ts', attribute, ['provider.list', 'provider.disable', 'notices.publish']),
  row('Close', ['revoke'], 'functions/revoke/close.ts', close, ['secrets.label', 'notices.publish']),
];

function row(state: string, workflows: Step['workflows'], entry: string, run: RunStep, may: readonly Right[]): Step {
  return { state, workflows, entry, may, run };
}
