export function TalkPage(_props: { of: string | null }) {
  return <h1>Talk</h1>;
}
