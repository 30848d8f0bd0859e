/** Calls of gRPC, as far as they are requests of HTTP/2. */

/** Headers without which a request is no call. */
export const CALL: [string, string][] = [
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

/** One message as it is sent, in base64: a byte that says it is not compressed, its length, and itself. Fails where `text` is no base64. */
export function framed(text: string): string {
  const message = Uint8Array.from(atob(text.trim()), (one) => one.charCodeAt(0));
  const frame = new Uint8Array(5 + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, 5);
  return btoa(Array.from(frame, (byte) => String.fromCharCode(byte)).join(''));
}

export function isBase64(text: string): boolean {
  try {
    atob(text.trim());
    return true;
  } catch {
    return false;
  }
}

/** How a call ended: `5, no such thing`. */
export function outcome(fields: [string, string][]): string | undefined {
  const of = (name: string) => fields.find(([known]) => known === name)?.[1];
  const status = of('grpc-status');
  if (status === undefined) return undefined;
  const message = of('grpc-message');
  return message ? `${status}, ${readable(message)}` : status;
}

/** Messages are percent-encoded. */
function readable(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
