/** The code of the test, which only those who test pay for. */
export function loadTest() {
  return import('./test-screen');
}
