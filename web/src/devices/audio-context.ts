/** A sound graph, or null where the browser has none or will not open another one. */
export function openAudioContext(): AudioContext | null {
  // Safari before 14.1 has it under its older name.
  const older = globalThis as { webkitAudioContext?: typeof AudioContext };
  const Context = globalThis.AudioContext ?? older.webkitAudioContext;
  try {
    return Context ? new Context() : null;
  } catch {
    return null;
  }
}
