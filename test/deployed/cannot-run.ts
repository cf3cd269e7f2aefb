/** Why the deployed tests could not run at all: one sentence for people, one code for scripts. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
  readonly code: CannotRunCode;

  constructor(code: CannotRunCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type CannotRunCode =
  | 'E_USAGE'
  | 'E_INTERRUPTED'
  | 'E_NO_PYTHON'
  | 'E_NO_VENV'
  | 'E_NO_PACKAGE'
  | 'E_NO_OPENSSL'
  | 'E_PORT_TAKEN'
  | 'E_START'
  | 'E_ENDPOINT'
  | 'E_NOT_BOOTSTRAPPED'
  | 'E_DEPLOY';
