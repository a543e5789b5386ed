export function TaskPage(_props: { of: string | null }) {
  return <h1>Task</h1>;
}
