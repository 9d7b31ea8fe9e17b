// The list of models with both npm packages. The gateway's answer is one object that both read.
import { NotFoundError as AnthropicNotFound } from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import { NotFoundError as OpenAINotFound } from 'openai';
import { run } from './cases.mjs';
import { anthropic, collect, openai } from './gateway.mjs';

// The groups and aliases of the configuration, in any order.
const names = JSON.parse(process.env.OCTOPUS_MODELS).sort();

await run({
  'openai lists them': async () => {
    const models = await collect(openai.models.list());
    assert.deepEqual(models.map((model) => model.id).sort(), names);
    for (const model of models) {
      assert.equal(model.object, 'model');
      assert.equal(typeof model.owned_by, 'string');
      assert.ok(Number.isInteger(model.created));
    }
  },

  'openai retrieves each': async () => {
    for (const name of names) {
      assert.equal((await openai.models.retrieve(name)).id, name);
    }
  },

  'openai finds no other': async () => {
    await assert.rejects(openai.models.retrieve('no-such-model'), (error) => {
      assert.ok(error instanceof OpenAINotFound);
      assert.equal(error.code, 'model_not_found');
      assert.match(error.message, /no-such-model/);
      return true;
    });
  },

  'anthropic lists them': async () => {
    const models = await collect(anthropic.models.list());
    assert.deepEqual(models.map((model) => model.id).sort(), names);
    for (const model of models) {
      assert.equal(model.type, 'model');
      assert.ok(model.display_name);
      assert.ok(Date.parse(model.created_at) > 0);
    }
  },

  'anthropic pages through them': async () => {
    const models = await collect(anthropic.models.list({ limit: 1 }));
    assert.deepEqual(models.map((model) => model.id).sort(), names);
    const page = await anthropic.models.list({ limit: 1 });
    assert.equal(page.data.length, 1);
    assert.equal(page.has_more, true);
    assert.equal(page.last_id, page.data[0].id);
  },

  'anthropic retrieves each': async () => {
    for (const name of names) {
      assert.equal((await anthropic.models.retrieve(name)).id, name);
    }
  },

  'anthropic finds no other': async () => {
    await assert.rejects(anthropic.models.retrieve('no-such-model'), (error) => {
      assert.ok(error instanceof AnthropicNotFound);
      assert.equal(error.type, 'not_found_error');
      assert.match(error.message, /no-such-model/);
      return true;
    });
  },
});
