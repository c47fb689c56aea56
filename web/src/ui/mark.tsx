/** The sign of the service: two circles that meet. */
export function Mark() {
  return (
    <svg
      class="icon"
      viewBox="0 0 32 32"
      fill="none"
      stroke="currentColor"
      stroke-width="3.5"
      aria-hidden="true"
    >
      <circle cx="11" cy="16" r="8" />
      <circle cx="21" cy="16" r="8" />
    </svg>
  );
}
