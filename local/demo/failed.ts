/** The demo did not see what it is there to show. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}
