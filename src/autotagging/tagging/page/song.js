// A song that is uploaded and tagged.

const ENDED = "the program has ended; start it again, and open the address that it prints";

/** Write a time as minutes:seconds. */
export function minutes(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * Send a file; give its taggram, or throw an Error that says why there is none.
 *
 * onMessage is called with {waiting: true} and {seconds: ...} until then.
 */
export async function tag(file, signal, onMessage) {
  await file.slice(0, 1).arrayBuffer().catch(() => refuse("the file can't be read"));
  try {
    const address = `taggram?name=${encodeURIComponent(file.name)}`;
    const response = await fetch(address, { method: "POST", body: file, signal });
    if (!response.ok) {
      return refuse(await response.text());
    }
    for await (const message of messages(response.body)) {
      if (message.error) {
        return refuse(message.error.message);
      }
      if (message.taggram) {
        return message.taggram;
      }
      onMessage(message);
    }
  } catch (error) {
    if (error instanceof Refusal || signal.aborted) {
      throw error;
    }
  }
  return refuse(ENDED);
}

class Refusal extends Error {}

function refuse(reason) {
  throw new Refusal(reason.trim());
}

async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines.map((line) => JSON.parse(line));
  }
}
