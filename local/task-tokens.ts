import type { StepResult } from '../workflows/steps.ts';

export interface TaskTokens {
  /** Opens a token of an execution; resolves or rejects as it is answered. */
  open(token: string, execution: string): Promise<StepResult>;
  /** Answers a token. One that is closed, was answered, or never existed: nothing happens. */
  succeed(token: string): void;
  fail(token: string, error: string, cause: string): void;
  /** Closes the tokens of an execution; nobody waits for them any more. */
  closeAll(execution: string): void;
}

/** The open task tokens of this process. A token of an earlier process is closed by nature. */
export function taskTokens(): TaskTokens {
  const open = new Map<string, { readonly execution: string; readonly answer: PromiseWithResolvers<StepResult> }>();

  function take(token: string): PromiseWithResolvers<StepResult> | undefined {
    const found = open.get(token);
    open.delete(token);
    return found?.answer;
  }

  return {
    open(token, execution) {
      const answer = Promise.withResolvers<StepResult>();
      // The answer may come while nobody awaits it yet; an unobserved rejection would end the process.
      answer.promise.catch(() => undefined);
      open.set(token, { execution, answer });
      return answer.promise;
    },
    succeed(token) {
      take(token)?.resolve({});
    },
    fail(token, error, cause) {
      take(token)?.reject(new TaskFailed(error, cause));
    },
    closeAll(execution) {
      for (const [token, entry] of open) if (entry.execution === execution) open.delete(token);
    },
  };
}

/** A task that was failed from outside: its name is the one given, because `ErrorEquals` compares names. */
class TaskFailed extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}
