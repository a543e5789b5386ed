export function RosterPage(_props: { of: string | null }) {
  return <h1>Roster</h1>;
}
