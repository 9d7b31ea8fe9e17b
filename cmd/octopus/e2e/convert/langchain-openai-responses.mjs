// @langchain/openai, Responses.
import { ChatOpenAI } from '@langchain/openai';
import { baseURL } from '../gateway.mjs';
import { runLangChain } from './langchain.mjs';

await runLangChain({
  speaks: 'responses',
  model: ({ model, limit, thinks }) =>
    new ChatOpenAI({
      model,
      maxTokens: limit,
      maxRetries: 0,
      useResponsesApi: true,
      reasoning: thinks ? { effort: 'medium', summary: 'auto' } : undefined,
      configuration: { baseURL },
      apiKey: process.env.OCTOPUS_KEY,
    }),
  image: (url) => ({ type: 'image_url', image_url: { url } }),
  format: (model, schema) =>
    model.withConfig({ response_format: { type: 'json_schema', json_schema: { name: 'forecast', schema, strict: true } } }),
  stopOf: ({ response_metadata: { status, incomplete_details: details } }) =>
    status === 'completed' ? 'end' : details?.reason === 'max_output_tokens' ? 'limit' : undefined,
  thinks: true,
  thoughtOf: ({ additional_kwargs: { reasoning } }) => reasoning.summary.map((part) => part.text).join('\n\n'),
  // It ignores response.failed (protocols.md H).
  cuts: false,
});
