/** The page that frames the Stately Inspector and hands it what comes over the WebSocket of the bridge. It runs no other code. */
import { randomBytes } from 'node:crypto';

export interface StatelyPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @param inspector address of the inspector. @param token opens the WebSocket. */
export function statelyPage(inspector: URL, port: number, token: string): StatelyPage {
  const nonce = randomBytes(16).toString('base64');
  const script = `
history.replaceState(null, '', '/');
const frame = document.querySelector('iframe');
const early = [];
let connected = false;
const hand = (message) => frame.contentWindow.postMessage(message, ${inScript(inspector.origin)});
addEventListener('message', ({ source, origin, data }) => {
  if (source !== frame.contentWindow || origin !== ${inScript(inspector.origin)} || data?.type !== '@statelyai.connected') return;
  connected = true;
  for (const message of early.splice(0)) hand(message);
});
const socket = new WebSocket('ws://' + location.host + '/?token=' + ${inScript(token)});
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (connected) hand(message);
  else if (early.push(message) > 4000) early.shift();
};
socket.onclose = () => { document.title = 'cox inspect has ended'; };
frame.src = ${inScript(inspector.href)};
`;
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>cox inspect</title>
<style nonce="${nonce}">html, body { height: 100%; margin: 0 } iframe { width: 100%; height: 100%; border: 0 }</style>
<iframe title="Stately Inspector"></iframe>
<script nonce="${nonce}">${script}</script>
`;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    `frame-src ${inspector.origin}`,
    `connect-src ws://127.0.0.1:${port} ws://localhost:${port}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return { html, headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy.join('; ') } };
}

/** A text in a script of a page. */
const inScript = (text: string): string => JSON.stringify(text).replaceAll('<', '\\u003c');
