// The Vercel AI SDK, whichever provider package it is given.
import assert from 'node:assert/strict';
import { generateText, isStepCount, jsonSchema, Output, streamText, tool } from 'ai';
import { said, weather } from '../gateway.mjs';
import { forecasts, runSuite, scripted } from './suite.mjs';

// The SDK says on stderr what it drops by itself, such as settings that it believes the model doesn't take.
globalThis.AI_SDK_LOG_WARNINGS = false;

const stops = { stop: 'end', length: 'limit', 'content-filter': 'refused', 'tool-calls': 'calls' };

// Runs the suite. speaks is the protocol, model makes a model of a name, thinking has the options that turn it on.
export async function runAI({ speaks, model: modelOf, thinking, ...library }, more = () => ({})) {
  const settingsOf = ({ model, text, system, image, limit, stop, schema, thinks }) => ({
    model: modelOf(model),
    maxRetries: 0,
    messages: [{ role: 'user', content: image ? [{ type: 'text', text }, { type: 'image', image }] : text }],
    ...(system && { system }),
    ...(limit && { maxOutputTokens: limit }),
    ...(stop && { stopSequences: stop }),
    ...(schema && { output: Output.object({ schema: jsonSchema(schema), name: 'forecast' }) }),
    ...(thinks && { providerOptions: thinking }),
  });

  await runSuite(
    {
      speaks,
      stops: speaks !== 'responses',
      thinks: true,
      cuts: true,
      ...library,

      ask: async (ask, stream) => {
        const answer = await generate(settingsOf(ask), stream);
        const { usage } = answer;
        return {
          text: answer.text,
          stop: stops[answer.finishReason],
          usage: {
            input: usage.inputTokens,
            output: usage.outputTokens,
            cached: usage.inputTokenDetails.cacheReadTokens,
            written: usage.inputTokenDetails.cacheWriteTokens,
            reasoning: usage.outputTokenDetails.reasoningTokens,
          },
        };
      },

      loop: async (ask, stream) => {
        const calls = [];
        let turn = 0;
        const execute = (input) => {
          calls.push(input);
          return forecasts[turn++ % forecasts.length];
        };
        const tools = {
          [weather.name]: tool({ description: weather.description, inputSchema: jsonSchema(weather.schema), execute }),
        };
        const { text } = await generate({ ...settingsOf(ask), tools, stopWhen: isStepCount(5) }, stream);
        return { text, calls };
      },

      remember: async (ask, stream) => {
        const settings = settingsOf({ ...ask, thinks: true });
        const first = await generate(settings, stream);
        settings.messages = [...settings.messages, ...first.responseMessages, { role: 'user', content: 'Again' }];
        const { text } = await generate(settings, stream);
        return { thought: first.reasoningText, text, usage: { reasoning: first.usage.outputTokenDetails.reasoningTokens } };
      },

      failure: ({ statusCode, message }) => ({ status: statusCode, message }),
    },
    (upstream) => ({
      'a stream has no unknown parts': async () => {
        const result = streamText({ ...settingsOf({ model: scripted(upstream, 'tokens=3,cite'), text: 'Hello' }), onError() {} });
        const kinds = new Set();
        for await (const part of result.fullStream) {
          kinds.add(part.type);
        }
        assert.ok(!kinds.has('error'));
        assert.ok(kinds.has('source'), [...kinds].join());
        assert.equal(await result.text, said('Hello', 3));
      },
      ...more(upstream),
    }),
  );
}

// Returns the text, reasonings and so on of an answer, as generateText does.
async function generate(settings, stream) {
  if (!stream) {
    return generateText(settings);
  }
  const result = streamText({ ...settings, onError() {} });
  for await (const part of result.fullStream) {
    if (part.type === 'error') {
      throw part.error;
    }
  }
  const answer = {};
  for (const key of ['text', 'reasoningText', 'finishReason', 'usage', 'responseMessages']) {
    answer[key] = await result[key];
  }
  return answer;
}
