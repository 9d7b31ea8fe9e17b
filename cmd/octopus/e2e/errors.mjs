// What the errors of the gateway, and of the provider behind it, become in the SDKs.
import Anthropic from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { run } from './cases.mjs';
import { anthropic, baseURL, chatBody, messagesBody, openai, responsesBody, said, scripted } from './gateway.mjs';

// The body limit of the gateway under test, in bytes.
const maxBodySize = Number(process.env.OCTOPUS_MAX_BODY);

// How each protocol is called, and where its errors keep what is to be checked.
const protocols = {
  chat: {
    sdk: OpenAI,
    client: openai,
    path: '/chat/completions',
    body: chatBody,
    create: (client, body, options) => client.chat.completions.create(body, options),
  },
  responses: {
    sdk: OpenAI,
    client: openai,
    path: '/responses',
    body: responsesBody,
    create: (client, body, options) => client.responses.create(body, options),
  },
  messages: {
    sdk: Anthropic,
    client: anthropic,
    path: '/messages',
    body: messagesBody,
    create: (client, body, options) => client.messages.create(body, options),
  },
};

// Every error that comes before the answer: what is asked, and the SDK's class, the status, and type and code in
// OpenAI's and in Anthropic's words.
const refused = {
  'unknown model': {
    extra: { model: 'no-such-model' },
    error: ['NotFoundError', 404, 'invalid_request_error', 'model_not_found'],
    anthropic: ['NotFoundError', 404, 'not_found_error'],
    message: /no-such-model/,
  },
  'unknown channel': {
    extra: { model: 'nowhere/scripted' },
    error: ['NotFoundError', 404, 'invalid_request_error', 'model_not_found'],
    anthropic: ['NotFoundError', 404, 'not_found_error'],
    message: /nowhere\/scripted/,
  },
  'unknown key': {
    key: 'sk-octopus-unknown-0123456789',
    error: ['AuthenticationError', 401, 'invalid_request_error', 'invalid_api_key'],
    anthropic: ['AuthenticationError', 401, 'authentication_error'],
    message: /API key/,
  },
  'body over the limit': {
    content: 'x'.repeat(maxBodySize),
    error: ['APIError', 413, 'invalid_request_error', 'request_too_large'],
    anthropic: ['ContentTooLargeError', 413, 'request_too_large'],
    message: new RegExp(`${maxBodySize}`),
  },
  'a group without members': {
    extra: { model: 'nobody' },
    error: ['InternalServerError', 503, 'server_error', 'unavailable'],
    anthropic: ['ServiceUnavailableError', 503, 'overloaded_error'],
    message: /nobody/,
  },
  'a channel without the key it needs': {
    extra: { model: 'keyless' },
    error: ['InternalServerError', 503, 'server_error', 'unavailable'],
    anthropic: ['ServiceUnavailableError', 503, 'overloaded_error'],
    message: /keyless/,
  },
  'provider: 429 with Retry-After': {
    extra: { model: scripted('status=429,retry_after=7') },
    error: ['RateLimitError', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    anthropic: ['RateLimitError', 429, 'rate_limit_error'],
    headers: { 'retry-after': '7' },
    message: /^(?!.*org-scripted).*rate/s,
  },
  'provider: 503': {
    extra: { model: scripted('status=503') },
    error: ['InternalServerError', 503, 'server_error', 'overloaded'],
    anthropic: ['OverloadedError', 529, 'overloaded_error'],
    message: /overloaded/,
  },
  'provider: 500': {
    extra: { model: scripted('status=500') },
    error: ['InternalServerError', 502, 'server_error', 'upstream_error'],
    anthropic: ['InternalServerError', 502, 'api_error'],
    message: /500/,
  },
  'provider: 401 is not the client\'s': {
    extra: { model: scripted('status=401') },
    error: ['InternalServerError', 502, 'server_error', 'upstream_error'],
    anthropic: ['InternalServerError', 502, 'api_error'],
    message: /credential/,
  },
  'provider: context too long': {
    extra: { model: scripted('status=400,code=context_length_exceeded') },
    error: ['BadRequestError', 400, 'invalid_request_error', 'context_length_exceeded'],
    anthropic: ['BadRequestError', 400, 'invalid_request_error'],
    message: /maximum context length|prompt is too long/,
  },
  'provider: content filter': {
    extra: { model: scripted('status=400,code=content_policy_violation') },
    error: ['BadRequestError', 400, 'invalid_request_error', 'content_policy_violation'],
    anthropic: ['BadRequestError', 400, 'invalid_request_error'],
    message: /safety system|content filtering policy/,
  },
  'provider: HTML with status 200': {
    extra: { model: scripted('html') },
    error: ['InternalServerError', 502, 'server_error', 'upstream_error'],
    anthropic: ['InternalServerError', 502, 'api_error'],
    message: /could not be understood/,
  },
};

// Returns what the SDK's error says of the row, to be compared with what it should say.
function told(sdk, error) {
  const said = [error.constructor.name, error.status, error.type];
  return sdk === OpenAI ? [...said, error.code] : said;
}

async function checkRefused({ sdk, client, body, create }, row, stream) {
  const caller = row.key ? client.withOptions({ apiKey: row.key }) : client;
  const call = create(caller, body(row.content ?? 'Hello', { ...row.extra, stream }));
  await assert.rejects(call, (error) => {
    assert.deepEqual(told(sdk, error), sdk === OpenAI ? row.error : row.anthropic);
    assert.ok(error instanceof sdk.APIError);
    assert.match(error.message, row.message);
    assert.match(error.requestID, /^\S{8,}$/);
    assert.equal(error.headers.get('x-request-id'), error.headers.get('request-id'));
    for (const [name, value] of Object.entries(row.headers ?? {})) {
      assert.equal(error.headers.get(name), value);
    }
    return true;
  });
}

const cases = {};

for (const [name, protocol] of Object.entries(protocols)) {
  const { sdk, client, path, body, create } = protocol;
  for (const [fault, row] of Object.entries(refused)) {
    cases[`${name}: ${fault}`] = async () => {
      await checkRefused(protocol, row, false);
      await checkRefused(protocol, row, true);
    };
  }

  cases[`${name}: malformed JSON`] = async () => {
    const text = JSON.stringify(body('Hello')).replace('"Hello"', '"Hello",,');
    const response = await fetch(baseURL + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.apiKey}`, 'content-type': 'application/json' },
      body: text,
    });
    const answer = await response.json();
    assert.equal(response.status, 400);
    assert.equal(answer.error.type, 'invalid_request_error');
    const column = text.indexOf(',,') + 2;
    assert.match(answer.error.message, new RegExp(`line 1, column ${column}\\b`));
    if (sdk === Anthropic) {
      assert.deepEqual(Object.keys(answer).sort(), ['error', 'request_id', 'type']);
      assert.equal(answer.type, 'error');
      assert.equal(answer.request_id, response.headers.get('request-id'));
    } else {
      assert.deepEqual(Object.keys(answer), ['error']);
      assert.deepEqual(Object.keys(answer.error).sort(), ['code', 'message', 'param', 'type']);
    }
  };

  cases[`${name}: the SDK waits as long as the provider asks, and then succeeds`] = async () => {
    const begun = performance.now();
    const model = scripted(`status=429,retry_after=1,times=1,tokens=${name.length}`);
    const retrying = client.withOptions({ maxRetries: 1 });
    const { response } = await create(retrying, body('Hello', { model })).withResponse();
    assert.equal(response.status, 200);
    const waited = performance.now() - begun;
    assert.ok(waited >= 990, `retried after ${waited} ms`);
  };

  cases[`${name}: the SDK does not retry what can't succeed`] = async () => {
    let calls = 0;
    const counting = (url, init) => {
      calls += 1;
      return fetch(url, init);
    };
    const retrying = client.withOptions({ maxRetries: 2, fetch: counting });
    await assert.rejects(create(retrying, body('Hello', { model: 'no-such-model' })), { status: 404 });
    assert.equal(calls, 1);
  };
}

// A stream that breaks after 40 of 60 tokens: the text so far, and an error instead of an end. A reset may overtake text.
for (const fault of ['cut=40', 'cut=40,inside', 'cut=40,rst', 'errorevent=40']) {
  const model = scripted(`tokens=60,${fault}`);
  const begun = said('Hello', 40);
  const checkText = (text) => assert.equal(text, fault.endsWith('rst') ? begun.slice(0, text.length) : begun);

  cases[`chat: stream with ${fault}`] = async () => {
    let text = '';
    const read = async () => {
      for await (const chunk of await openai.chat.completions.create(chatBody('Hello', { model, stream: true }))) {
        assert.equal(chunk.choices[0].finish_reason, null);
        text += chunk.choices[0].delta.content ?? '';
      }
    };
    await assert.rejects(read(), OpenAI.APIError);
    checkText(text);
  };

  cases[`responses: stream with ${fault}`] = async () => {
    const events = [];
    const read = async () => {
      for await (const event of await openai.responses.create(responsesBody('Hello', { model, stream: true }))) {
        events.push(event);
      }
    };
    // The SDK throws at an event named error and hands out response.failed: the provider sends both, the gateway one.
    await read().catch((error) => assert.ok(error instanceof OpenAI.APIError, error));
    const text = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
    checkText(text.join(''));
    assert.ok(!events.some((event) => event.type === 'response.completed'));
    if (fault !== 'errorevent=40') {
      assert.equal(events.at(-1).type, 'response.failed');
      assert.equal(events.at(-1).response.status, 'failed');
      assert.ok(events.at(-1).response.error.message);
    }
  };

  cases[`messages: stream with ${fault}`] = async () => {
    let text = '';
    const stream = anthropic.messages.stream(messagesBody('Hello', { model }));
    stream.on('text', (delta) => (text += delta));
    await assert.rejects(stream.finalMessage(), Anthropic.APIError);
    checkText(text);
  };
}

await run(cases);
