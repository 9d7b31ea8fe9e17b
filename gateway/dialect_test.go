package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// dialect is how one provider says one thing. The bodies are those that providers were seen to send, shortened; where is in
// codec/phrase.go and codec/fault.go.
type dialect struct {
	name   string
	status int
	header string
	body   string
	want   outcome.Class
	// retryAfter is how long the target asks to be left alone.
	retryAfter time.Duration
	// omit is what the next request to the target goes without.
	omit codec.Omission
}

// openAI and anthropic make the bodies of these two.
func openAI(message, typ, code string) string {
	return `{"error":{"message":"` + message + `","type":"` + typ + `","param":null,"code":` + quotedOrNull(code) + `}}`
}

func anthropic(typ, message string) string {
	return `{"type":"error","error":{"type":"` + typ + `","message":"` + message + `"},"request_id":"req_011CUdL49e3Fu9bCKbWF6cXD"}`
}

func quotedOrNull(s string) string {
	if s == "" {
		return "null"
	}
	return `"` + s + `"`
}

// dialects are read at 2026-01-01 00:00 UTC.
var dialects = map[string][]dialect{
	"OpenAI": {
		{name: "context length", status: 400, body: openAI("This model's maximum context length is 128000 tokens. However, your messages resulted in 150000 tokens. Please reduce the length of the messages.", "invalid_request_error", "context_length_exceeded"), want: outcome.ClassContext},
		{name: "context window", status: 400, body: openAI("Your input exceeds the context window of this model. Please adjust your input and try again.", "invalid_request_error", "context_length_exceeded"), want: outcome.ClassContext},
		{name: "content policy", status: 400, body: openAI("Your request was rejected as a result of our safety system.", "invalid_request_error", "content_policy_violation"), want: outcome.ClassFilter},
		{name: "flagged prompt", status: 400, body: openAI("Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.", "invalid_request_error", "invalid_prompt"), want: outcome.ClassFilter},
		{name: "no quota", status: 429, body: openAI("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota"), want: outcome.ClassQuota},
		{name: "hard limit", status: 400, body: openAI("Billing hard limit has been reached", "invalid_request_error", "billing_hard_limit_reached"), want: outcome.ClassQuota},
		{name: "plan's limit", status: 429, body: `{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_in_seconds":7200}}`, want: outcome.ClassQuota, retryAfter: 2 * time.Hour},
		{name: "wrong key", status: 401, body: openAI("Incorrect API key provided: sk-proj-abcd****WXYZ. You can find your API key at https://platform.openai.com/account/api-keys.", "invalid_request_error", "invalid_api_key"), want: outcome.ClassCredential},
		{name: "deactivated", status: 401, body: openAI("The OpenAI account associated with this API key has been deactivated.", "invalid_request_error", "account_deactivated"), want: outcome.ClassCredential},
		{name: "no member", status: 401, body: openAI("You must be a member of an organization to use the API.", "invalid_request_error", ""), want: outcome.ClassCredential},
		{name: "region", status: 403, body: `{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}`, want: outcome.ClassCredential},
		{name: "model of another project", status: 403, body: openAI("Project `proj_QRf115YMnQwMUdTI9cu2sWQ8` does not have access to model `gpt-4o-mini`", "invalid_request_error", "model_not_found"), want: outcome.ClassModel},
		{name: "unknown model", status: 404, body: openAI("The model `gpt-9` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"), want: outcome.ClassModel},
		{name: "model of another endpoint", status: 404, body: `{"error":{"message":"This is not a chat model and thus not supported in the v1/chat/completions endpoint.","type":"invalid_request_error","param":"model","code":null}}`, want: outcome.ClassModel},
		{name: "unknown response", status: 404, body: `{"error":{"message":"Previous response with id 'resp_123' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}`, want: outcome.ClassInvalid},
		{name: "unknown file", status: 404, body: openAI("No such File object: file-abc123", "invalid_request_error", ""), want: outcome.ClassInvalid},
		{name: "tokens per minute", status: 429, header: "x-ratelimit-remaining-requests: 499\nx-ratelimit-reset-requests: 120ms\nx-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 6m0s",
			body: openAI("Rate limit reached for gpt-4o in organization org-AbCdEf123456 on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000. Please try again in 8s. Visit https://platform.openai.com/account/rate-limits to learn more.", "tokens", "rate_limit_exceeded"), want: outcome.ClassRateLimited, retryAfter: 8 * time.Second},
		{name: "requests per day", status: 429, body: openAI("Rate limit reached for gpt-4o in organization org-AbCdEf123456 on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.", "requests", "rate_limit_exceeded"), want: outcome.ClassRateLimited, retryAfter: 7*time.Minute + 12*time.Second},
		{name: "only the headers tell when", status: 429, header: "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 6m0s", body: openAI("Rate limit reached for requests", "requests", "rate_limit_exceeded"), want: outcome.ClassRateLimited, retryAfter: 6 * time.Minute},
		{name: "hours away", status: 429, header: "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 5h12m0s", body: openAI("Rate limit reached for requests", "requests", "rate_limit_exceeded"), want: outcome.ClassQuota, retryAfter: 5*time.Hour + 12*time.Minute},
		{name: "too large for the minute", status: 429, body: openAI("Request too large for gpt-4o in organization org-AbCdEf123456 on tokens per min (TPM): Limit 30000, Requested 342389. The input or output tokens must be reduced in order to run successfully.", "tokens", "rate_limit_exceeded"), want: outcome.ClassRateLimited},
		{name: "slow down", status: 503, body: openAI("The server is currently overloaded. Slow Down.", "server_error", "slow_down"), want: outcome.ClassOverloaded},
		{name: "engine overloaded", status: 429, body: openAI("The engine is currently overloaded, please try again later", "server_error", ""), want: outcome.ClassOverloaded},
		{name: "model overloaded", status: 500, body: openAI("That model is currently overloaded with other requests. You can retry your request", "server_error", ""), want: outcome.ClassOverloaded},
		{name: "server error", status: 500, body: openAI("The server had an error while processing your request. Sorry about that!", "server_error", ""), want: outcome.ClassTransient},
		{name: "encrypted content", status: 400, body: openAI("The encrypted content gAAA...DQ== could not be verified.", "invalid_request_error", "invalid_encrypted_content"), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "encrypted content of an item", status: 400, body: openAI("The encrypted content for item rs_037e7e05148bdd58 could not be verified. Reason: Encrypted content could not be decrypted or parsed.", "invalid_request_error", ""), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "reasoning that is not kept", status: 404, body: `{"error":{"message":"Item with id 'rs_68a1' not found. Items are not persisted when ` + "`store`" + ` is set to false. Try again with ` + "`store`" + ` set to true, or remove this item from your input.","type":"invalid_request_error","param":"input","code":null}}`, want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "call without its reasoning", status: 400, body: openAI("Item 'fc_68a1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_68a1'.", "invalid_request_error", ""), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "unknown field", status: 400, body: `{"error":{"message":"Unknown parameter: 'foo'.","type":"invalid_request_error","param":"foo","code":"unknown_parameter"}}`, want: outcome.ClassInvalid},
		{name: "words of the client's", status: 400, body: openAI("Invalid value: 'Incorrect API key provided'. Your credit balance is too low. The model `x` does not exist. Server overloaded.", "invalid_request_error", "invalid_value"), want: outcome.ClassInvalid},
		{name: "stream_options without a stream", status: 400, body: `{"error":{"message":"The 'stream_options' parameter is only allowed when 'stream' is enabled.","type":"invalid_request_error","param":"stream_options","code":null}}`, want: outcome.ClassInvalid},
	},
	"Anthropic": {
		{name: "prompt too long", status: 400, body: anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), want: outcome.ClassContext},
		{name: "with the output", status: 400, body: anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again"), want: outcome.ClassContext},
		{name: "content filter", status: 400, body: anthropic("invalid_request_error", "Output blocked by content filtering policy"), want: outcome.ClassFilter},
		{name: "credit with 400", status: 400, body: anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."), want: outcome.ClassQuota},
		{name: "own limit with 400", status: 400, body: anthropic("invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-01-01 at 09:00 UTC."), want: outcome.ClassQuota, retryAfter: 9 * time.Hour},
		{name: "billing", status: 402, body: anthropic("billing_error", "Your account has a past due balance."), want: outcome.ClassQuota},
		{name: "wrong key", status: 401, body: anthropic("authentication_error", "invalid x-api-key"), want: outcome.ClassCredential},
		{name: "permission", status: 403, body: anthropic("permission_error", "Your API key does not have permission to use the specified resource."), want: outcome.ClassCredential},
		{name: "disabled with 400", status: 400, body: anthropic("invalid_request_error", "This organization has been disabled."), want: outcome.ClassCredential},
		{name: "unknown model", status: 404, body: anthropic("not_found_error", "model: claude-9"), want: outcome.ClassModel},
		{name: "unknown file", status: 404, body: anthropic("not_found_error", "File not found: file_011CNha8iCJcU1wXNR6q4V8w"), want: outcome.ClassInvalid},
		{name: "rate limit", status: 429, header: "retry-after: 17\nanthropic-ratelimit-input-tokens-remaining: 0\nanthropic-ratelimit-input-tokens-reset: 2026-01-01T00:00:40Z", body: anthropic("rate_limit_error", "This request would exceed your organization's rate limit of 40,000 input tokens per minute (org: 3f2504e0-4f89-41d3-9a0c-0305e82c3301)"), want: outcome.ClassRateLimited, retryAfter: 17 * time.Second},
		{name: "rate limit by its limits", status: 429, header: "anthropic-ratelimit-requests-remaining: 3\nanthropic-ratelimit-requests-reset: 2026-01-01T00:00:01Z\nanthropic-ratelimit-output-tokens-remaining: 0\nanthropic-ratelimit-output-tokens-reset: 2026-01-01T00:00:40Z", body: anthropic("rate_limit_error", "Rate limited"), want: outcome.ClassRateLimited, retryAfter: 40 * time.Second},
		{name: "overloaded", status: 529, body: anthropic("overloaded_error", "Overloaded"), want: outcome.ClassOverloaded},
		{name: "overloaded with 500", status: 500, body: anthropic("overloaded_error", "Overloaded"), want: outcome.ClassOverloaded},
		{name: "server error", status: 500, body: anthropic("api_error", "Internal server error"), want: outcome.ClassTransient},
		{name: "timeout", status: 504, body: anthropic("timeout_error", "Request timed out"), want: outcome.ClassSilent},
		{name: "too large", status: 413, body: anthropic("request_too_large", "Request exceeds the maximum size"), want: outcome.ClassInvalid},
		{name: "signature", status: 400, body: anthropic("invalid_request_error", "messages.1.content.0: Invalid `signature` in `thinking` block"), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "no signature", status: 400, body: anthropic("invalid_request_error", "messages.1.content.0.thinking.signature: Field required"), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "no thinking", status: 400, body: anthropic("invalid_request_error", "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block"), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "changed thinking", status: 400, body: anthropic("invalid_request_error", "messages.3.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response."), want: outcome.ClassState, omit: codec.OmitReasoning},
		{name: "invalid", status: 400, body: anthropic("invalid_request_error", "messages: at least one message is required"), want: outcome.ClassInvalid},
	},
	"Azure": {
		{name: "content filter", status: 400, body: `{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}`, want: outcome.ClassFilter},
		{name: "only the inner code", status: 400, body: `{"error":{"message":"Filtered.","type":null,"param":"prompt","code":null,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, want: outcome.ClassFilter},
		{name: "rate limit", status: 429, header: "retry-after: 7", body: `{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-01 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 60 seconds. Please go here: https://aka.ms/oai/quotaincrease"}}`, want: outcome.ClassRateLimited, retryAfter: 7 * time.Second},
		{name: "rate limit by its words", status: 429, body: `{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-01 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 54 seconds."}}`, want: outcome.ClassRateLimited, retryAfter: 54 * time.Second},
		{name: "a day away", status: 429, body: `{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 86400 seconds."}}`, want: outcome.ClassQuota, retryAfter: 24 * time.Hour},
		{name: "high demand", status: 429, body: `{"error":{"code":"429","message":"The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load. Please retry after 20 seconds."}}`, want: outcome.ClassOverloaded, retryAfter: 20 * time.Second},
		{name: "no capacity", status: 429, body: openAI("Too many requests.", "too_many_requests", "no_capacity"), want: outcome.ClassOverloaded},
		{name: "unknown deployment", status: 404, body: `{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}`, want: outcome.ClassModel},
		{name: "wrong key", status: 401, body: `{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}`, want: outcome.ClassCredential},
		{name: "no calls left", status: 403, body: `{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 12.23:13:43."}`, want: outcome.ClassQuota},
		{name: "timeout", status: 408, body: `{"error":{"code":"Timeout","message":"The operation was timeout."}}`, want: outcome.ClassSilent},
		{name: "stream_options", status: 400, body: `{"detail":"Extra parameters ['stream_options'] are not allowed when extra-parameters is not set or set to be 'error'. Set extra-parameters to 'pass-through' to pass to the model."}`, want: outcome.ClassState, omit: codec.OmitStreamOptions},
	},
	"OpenRouter": {
		{name: "context length", status: 400, body: `{"error":{"message":"This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens (199000 of text input, 1000 in the output).","code":400,"metadata":{"provider_name":null}}}`, want: outcome.ClassContext},
		{name: "a provider's context length", status: 400, body: `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 210000 tokens > 200000 maximum\"}}","provider_name":"Anthropic"}}}`, want: outcome.ClassContext},
		{name: "a provider's rate limit", status: 429, body: `{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"google/gemma:free is temporarily rate-limited upstream. Please retry shortly","provider_name":"Chutes"}}}`, want: outcome.ClassRateLimited},
		{name: "no credits", status: 402, body: `{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 2680.","code":402}}`, want: outcome.ClassQuota},
		{name: "moderation", status: 403, body: `{"error":{"message":"\"openai/o1\" requires moderation on OpenAI. Your input was flagged for \"violence\".","code":403,"metadata":{"reasons":["violence"],"flagged_input":"…","provider_name":"OpenAI","model_slug":"openai/o1"}}}`, want: outcome.ClassFilter},
		{name: "wrong key", status: 401, body: `{"error":{"message":"No auth credentials found","code":401}}`, want: outcome.ClassCredential},
		{name: "free models, resets in hours", status: 429, header: "X-RateLimit-Limit: 50\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1767240000000", body: `{"error":{"message":"Rate limit exceeded: limit_rpd","code":429}}`, want: outcome.ClassQuota, retryAfter: 4 * time.Hour},
		{name: "free models, in the body", status: 429, body: `{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767240000000"}}},"user_id":"user_3CmwsCmGIMCVSaGO0fmSdaQuZf8"}`, want: outcome.ClassQuota, retryAfter: 4 * time.Hour},
		{name: "free models, per minute", status: 429, body: `{"error":{"message":"Rate limit exceeded: free-models-per-min. ","code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767225630000"}}}}`, want: outcome.ClassRateLimited, retryAfter: 30 * time.Second},
		{name: "no instances", status: 502, body: `{"error":{"message":"No instances available","code":502}}`, want: outcome.ClassOverloaded},
		{name: "no provider", status: 503, body: `{"error":{"message":"There is no available model provider that meets your routing requirements","code":503}}`, want: outcome.ClassOverloaded},
		{name: "bad gateway", status: 502, body: `{"error":{"message":"Provider returned error","code":502}}`, want: outcome.ClassTransient},
		{name: "timeout", status: 408, body: `{"error":{"message":"Request timed out","code":408}}`, want: outcome.ClassSilent},
		{name: "unknown model", status: 400, body: `{"error":{"message":"openai/gpt-9 is not a valid model ID","code":400}}`, want: outcome.ClassModel},
		{name: "no endpoint", status: 404, body: `{"error":{"message":"No endpoints found for stepfun/step-3.5-flash:free.","code":404},"user_id":"user_3CmwsCmGIMCVSaGO0fmSdaQuZf8"}`, want: outcome.ClassModel},
		{name: "no endpoint with tools", status: 404, body: `{"error":{"message":"No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing","code":404}}`, want: outcome.ClassState, omit: codec.OmitReasoning},
	},
	"DeepSeek": {
		{name: "balance", status: 402, body: openAI("Insufficient Balance", "unknown_error", "invalid_request_error"), want: outcome.ClassQuota},
		{name: "balance behind a gateway", status: 400, body: openAI("Insufficient Balance", "unknown_error", "invalid_request_error"), want: outcome.ClassQuota},
		{name: "context length", status: 400, body: openAI("This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (66000 in the messages, 4000 in the completion).", "invalid_request_error", "invalid_request_error"), want: outcome.ClassContext},
		{name: "content risk", status: 400, body: openAI("Content Exists Risk", "invalid_request_error", "invalid_request_error"), want: outcome.ClassFilter},
		{name: "unknown model", status: 400, body: openAI("Model Not Exist", "invalid_request_error", "invalid_request_error"), want: outcome.ClassModel},
		{name: "wrong key", status: 401, body: openAI("Authentication Fails (no such user)", "authentication_error", "invalid_request_error"), want: outcome.ClassCredential},
		{name: "busy", status: 503, body: openAI("Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.", "service_unavailable_error", "service_unavailable_error"), want: outcome.ClassOverloaded},
		{name: "reasoning missing", status: 400, body: openAI("The `reasoning_content` in the thinking mode must be passed back to the API.", "invalid_request_error", "invalid_request_error"), want: outcome.ClassState, omit: codec.OmitReasoning},
	},
	"vLLM": {
		{name: "context length", status: 400, body: `{"object":"error","message":"This model's maximum context length is 32768 tokens. However, you requested 41648 tokens (37552 in the messages, 4096 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}`, want: outcome.ClassContext},
		{name: "context length since 0.16", status: 400, body: `{"error":{"message":"You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens, resulting in a maximum input length of 1014 tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=1015)","type":"BadRequestError","param":"input_tokens","code":400}}`, want: outcome.ClassContext},
		{name: "unknown model", status: 404, body: `{"object":"error","message":"The model ` + "`llama`" + ` does not exist.","type":"NotFoundError","param":null,"code":404}`, want: outcome.ClassModel},
		{name: "wrong key", status: 401, body: `{"error":"Unauthorized"}`, want: outcome.ClassCredential},
		{name: "pydantic", status: 400, body: `{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted', 'input': {'include_usage': True}}]","type":"BadRequestError","param":null,"code":400}`, want: outcome.ClassState, omit: codec.OmitStreamOptions},
	},
	"Mistral": {
		{name: "rate limit", status: 429, body: `{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300","raw_status_code":429}`, want: outcome.ClassRateLimited},
		{name: "capacity", status: 429, body: `{"object":"error","message":"Service tier capacity exceeded for this model.","type":"invalid_request_error","param":null,"code":null}`, want: outcome.ClassOverloaded},
		{name: "unknown model", status: 400, body: `{"object":"error","message":"Invalid model: mistral-9","type":"invalid_model","param":null,"code":"1500"}`, want: outcome.ClassModel},
		{name: "context length", status: 400, body: `{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_prompt","param":null,"code":"3051"}`, want: outcome.ClassContext},
		{name: "stream_options", status: 422, body: `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]},"type":"invalid_request_error","param":null,"code":null}`, want: outcome.ClassState, omit: codec.OmitStreamOptions},
		{name: "wrong key", status: 401, body: `{"message":"Unauthorized","request_id":"1f"}`, want: outcome.ClassCredential},
	},
	"Groq": {
		{name: "too large for the minute", status: 413, body: openAI("Request too large for model `llama-3.1-70b-versatile` in organization `org_01hw8f0aa0ekmrn70ffm2zkdv1` on tokens per minute (TPM): Limit 6000, Requested 14368, please reduce your message size and try again.", "tokens", "rate_limit_exceeded"), want: outcome.ClassRateLimited},
		{name: "rate limit", status: 429, header: "x-ratelimit-remaining-requests: 14000\nx-ratelimit-reset-requests: 2m59.56s\nx-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 7.66s", body: openAI("Rate limit reached for model `llama-3.1-8b-instant` in organization `org_01j5b4pz9jff492fq686vypsx6` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Used 5034, Requested 1443. Please try again in 4.77s.", "tokens", "rate_limit_exceeded"), want: outcome.ClassRateLimited, retryAfter: 4770 * time.Millisecond},
		{name: "restricted", status: 400, body: openAI("Organization has been restricted. Please reach out to support if you believe this was in error.", "invalid_request_error", "organization_restricted"), want: outcome.ClassCredential},
		{name: "model gone", status: 400, body: openAI("The model `mixtral-8x7b-32768` has been decommissioned and is no longer supported.", "invalid_request_error", "model_decommissioned"), want: outcome.ClassModel},
	},
	"Together": {
		{name: "context length", status: 422, body: openAI("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 512 `max_new_tokens`", "invalid_request_error", ""), want: outcome.ClassContext},
		{name: "unknown model", status: 400, body: openAI("Unable to access non-serverless model x/y. Please visit the model page to create a dedicated endpoint.", "invalid_request_error", "model_not_available"), want: outcome.ClassModel},
		{name: "rate limit", status: 429, header: "x-ratelimit-reset: 3", body: openAI("You have reached the rate limit specific to this model.", "model_rate_limit", ""), want: outcome.ClassRateLimited, retryAfter: 3 * time.Second},
	},
	"Bedrock": {
		{name: "too long", status: 400, body: `{"message":"Input is too long for requested model."}`, want: outcome.ClassContext},
		{name: "throttled", status: 429, body: `{"message":"Too many tokens, please wait before trying again."}`, want: outcome.ClassRateLimited},
		{name: "unknown model", status: 400, body: `{"message":"The provided model identifier is invalid."}`, want: outcome.ClassModel},
		{name: "model not granted", status: 403, body: `{"message":"You don't have access to the model with the specified model ID."}`, want: outcome.ClassModel},
		{name: "token", status: 403, body: `{"message":"The security token included in the request is invalid."}`, want: outcome.ClassCredential},
		{name: "unavailable", status: 503, body: `{"message":"Bedrock is unable to process your request."}`, want: outcome.ClassOverloaded},
		{name: "model failed", status: 424, body: `{"message":"The system encountered an unexpected error during processing. Try your request again."}`, want: outcome.ClassTransient},
		{name: "thinking behind Bedrock", status: 400, body: `{"message":"The model returned the following errors: messages.1.content.0.type: Expected ` + "`thinking` or `redacted_thinking`, but found `text`" + `."}`, want: outcome.ClassState, omit: codec.OmitReasoning},
	},
	"Google": {
		{name: "rate limit", status: 429, body: `[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateContentInputTokensPerModelPerMinute-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"26s"}]}}]`, want: outcome.ClassRateLimited, retryAfter: 26 * time.Second},
		{name: "rate limit by its words", status: 429, body: `{"error":{"message":"{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"You exceeded your current quota.\\nPlease retry in 36.429760048s.\",\n    \"status\": \"RESOURCE_EXHAUSTED\"\n  }\n}\n","code":429,"status":"Too Many Requests"}}`, want: outcome.ClassRateLimited, retryAfter: 36429760048},
		{name: "exhausted", status: 429, body: `[{"error":{"code":429,"message":"Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.","status":"RESOURCE_EXHAUSTED"}}]`, want: outcome.ClassRateLimited},
		{name: "wrong key with 400", status: 400, body: `[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]`, want: outcome.ClassCredential},
		{name: "location with 400", status: 400, body: `[{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}]`, want: outcome.ClassCredential},
		{name: "too long", status: 400, body: `[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]`, want: outcome.ClassContext},
		{name: "no capacity", status: 503, body: `{"error":{"code":503,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"cloudcode-pa.googleapis.com","reason":"MODEL_CAPACITY_EXHAUSTED"}],"message":"No capacity available for model on the server","status":"UNAVAILABLE"}}`, want: outcome.ClassOverloaded},
		{name: "unknown model", status: 404, body: "[{\"error\":{\"code\":404,\"message\":\"Publisher Model `projects/my-project/locations/us-east5/publishers/anthropic/models/claude-9` was not found or your project does not have access to it.\",\"status\":\"NOT_FOUND\"}}]", want: outcome.ClassModel},
		{name: "deadline", status: 504, body: `{"error":{"code":504,"message":"Deadline expired before operation could complete.","status":"DEADLINE_EXCEEDED"}}`, want: outcome.ClassSilent},
	},
	"xAI": {
		{name: "no credits with 403", status: 403, body: `{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits or licenses yet. You can purchase those on https://console.x.ai/team/481c7584-ab46-4974-b86b-a4978384e229."}`, want: outcome.ClassQuota},
		{name: "wrong key with 400", status: 400, body: `{"code":"Client specified an invalid argument","error":"Incorrect API key provided: sk***YA. You can obtain an API key from https://console.x.ai."}`, want: outcome.ClassCredential},
		{name: "too long", status: 400, body: `{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}`, want: outcome.ClassContext},
		{name: "usage guidelines", status: 403, body: `{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}`, want: outcome.ClassFilter},
	},
	"Moonshot": {
		{name: "overloaded", status: 429, body: `{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}`, want: outcome.ClassOverloaded},
		{name: "suspended", status: 429, body: `{"error":{"message":"Your account org-12ab34 is suspended, please check your plan and billing details","type":"exceeded_current_quota_error"}}`, want: outcome.ClassQuota},
		{name: "wrong key", status: 401, body: `{"error":{"message":"Invalid Authentication","type":"invalid_authentication_error"}}`, want: outcome.ClassCredential},
		{name: "too long", status: 400, body: `{"error":{"message":"Invalid request: Your request exceeded model token limit: 131072","type":"invalid_request_error"}}`, want: outcome.ClassContext},
	},
	"Copilot": {
		{name: "unknown model", status: 400, body: `{"error":{"message":"The requested model is not supported.","code":"model_not_supported","param":"model","type":"invalid_request_error"}}`, want: outcome.ClassModel},
		{name: "context length", status: 400, body: openAI("prompt token count of 131084 exceeds the limit of 128000", "", "model_max_prompt_tokens_exceeded"), want: outcome.ClassContext},
	},
	"other gateways": {
		{name: "stream_options", status: 400, body: `{"error":{"message":"Unknown parameter: 'stream_options'. (request id: 20240806214436917505976hvsFC5y2)","type":"invalid_request_error","param":"stream_options","code":"unknown_parameter"}}`, want: outcome.ClassState, omit: codec.OmitStreamOptions},
		{name: "a user's quota with 403", status: 403, body: `{"error":{"message":"用户额度不足, 剩余额度: ＄0.000000","type":"new_api_error","param":"","code":"insufficient_user_quota"}}`, want: outcome.ClassQuota},
		{name: "LiteLLM's budget", status: 400, body: `{"error":{"message":"Budget has been exceeded! Current cost: 1.2, Max budget: 1.0","type":"budget_exceeded","param":null,"code":"400"}}`, want: outcome.ClassQuota},
		{name: "a redirect", status: 302, header: "Location: https://elsewhere.test/", body: "", want: outcome.ClassNonsense},
		{name: "a page for a bad gateway", status: 502, body: "<html><head><title>502 Bad Gateway</title></head></html>", want: outcome.ClassTransient},
		{name: "a page for a firewall", status: 403, body: "<html>Sorry, you have been blocked</html>", want: outcome.ClassCredential},
		{name: "a page for a wrong path", status: 404, body: "<html>404 page not found</html>", want: outcome.ClassModel},
		{name: "Cloudflare's timeout", status: 524, body: "error code: 524", want: outcome.ClassSilent},
		{name: "Cloudflare's unknown error", status: 520, body: "error code: 520", want: outcome.ClassTransient},
		{name: "no body, 503 with a wait", status: 503, header: "Retry-After: 5", body: "", want: outcome.ClassOverloaded, retryAfter: 5 * time.Second},
		{name: "a limit by date", status: 429, header: "Retry-After: Thu, 01 Jan 2026 00:02:00 GMT", body: "slow down", want: outcome.ClassRateLimited, retryAfter: 2 * time.Minute},
	},
}

func TestDialectsOfProviders(t *testing.T) {
	for provider, cases := range dialects {
		for _, c := range cases {
			t.Run(provider+"/"+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
					for _, upstream := range llm.Protocols {
						bridge := codec.Acquire(llm.Chat, upstream)
						defer codec.Release(bridge)
						_, e := bridge.Reject(nil, c.status, []byte(c.body))
						f := newFailure(c.status, e, headerOf(c.header))
						if f.class != c.want || f.retryAfter != c.retryAfter || f.omit != c.omit {
							t.Errorf("%v upstream: got %v, left alone for %v, without %b; want %v, %v, %b; read as %+v",
								upstream, f.class, f.retryAfter, f.omit, c.want, c.retryAfter, c.omit, *e)
						}
						if f.err == nil || f.err.Message == "" && f.class != outcome.ClassState {
							t.Errorf("the client is told nothing: %+v", f.err)
						}
					}
				})
			})
		}
	}
}

func TestErrorsInAnswersWithStatus200(t *testing.T) {
	f := func(name string, upstream llm.Protocol, body string, want outcome.Class) {
		t.Helper()
		for _, client := range llm.Protocols {
			t.Run(name+" "+client.String(), func(t *testing.T) {
				t.Helper()
				request := codec.Request{}
				stream := body == "" || body[0] != '{' && body[0] != '[' && body[0] != '<'
				if err := request.Peek(client, []byte(requestBody(client, "m", stream))); err != nil {
					t.Fatal(err)
				}
				bridge := codec.Acquire(client, upstream)
				defer codec.Release(bridge)
				if _, err := bridge.AppendRequest(nil, &request, &codec.Target{Protocol: upstream, Model: "m"}); err != nil {
					t.Fatal(err)
				}
				var step codec.Step
				switch {
				case !stream:
					_, step = bridge.Answer(nil, []byte(body))
				case body != "":
					if _, step = bridge.Feed(nil, []byte(body)); step != codec.Failed {
						_, step = bridge.Finish(nil, codec.EOF)
					}
				default:
					_, step = bridge.Finish(nil, codec.EOF)
				}
				if step != codec.Failed {
					t.Fatalf("got step %d", step)
				}
				if got := inBand(bridge.Failure()); got != want {
					t.Errorf("got %v, want %v; read as %+v", got, want, *bridge.Failure())
				}
			})
		}
	}
	overloaded := anthropic("overloaded_error", "Overloaded")
	f("overloaded in a stream", llm.Messages, "event: error\ndata: "+overloaded+"\n\n", outcome.ClassOverloaded)
	f("overloaded", llm.Messages, overloaded, outcome.ClassOverloaded)
	f("rate limit in a stream", llm.Chat, `data: {"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}`+"\n\n", outcome.ClassRateLimited)
	f("OpenRouter's code", llm.Chat, `{"error":{"message":"Insufficient credits","code":402}}`, outcome.ClassQuota)
	f("OpenRouter's code in a stream", llm.Chat, `data: {"id":"gen-1","object":"chat.completion.chunk","choices":[],"error":{"message":"Provider returned error","code":503}}`+"\n\n", outcome.ClassOverloaded)
	f("a failed response", llm.Responses, `data: {"type":"response.failed","sequence_number":1,"response":{"id":"resp_1","status":"failed","error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}}`+"\n\n", outcome.ClassQuota)
	f("too long in a stream", llm.Responses, `data: {"type":"response.failed","sequence_number":1,"response":{"id":"resp_1","status":"failed","error":{"code":"context_length_exceeded","message":"Your input exceeds the context window of this model."}}}`+"\n\n", outcome.ClassContext)
	f("encrypted content in a stream", llm.Responses, `data: {"type":"error","sequence_number":1,"code":"invalid_encrypted_content","message":"The encrypted content gAAA could not be verified.","param":null}`+"\n\n", outcome.ClassState)
	for _, upstream := range llm.Protocols {
		f("an error "+upstream.String(), upstream, openAI("boom", "server_error", ""), outcome.ClassNonsense)
		f("an error that is a string "+upstream.String(), upstream, `{"error":"boom"}`, outcome.ClassNonsense)
		f("an invalid request "+upstream.String(), upstream, openAI("bad", "invalid_request_error", ""), outcome.ClassNonsense)
		f("HTML "+upstream.String(), upstream, "<html>welcome</html>", outcome.ClassNonsense)
		f("an empty stream "+upstream.String(), upstream, "", outcome.ClassNonsense)
		f("an empty object "+upstream.String(), upstream, "{}", outcome.ClassNonsense)
		f("an empty list "+upstream.String(), upstream, "[]", outcome.ClassNonsense)
		f("truncated JSON "+upstream.String(), upstream, `{"id":"1","choices":[{"index":0,"mess`, outcome.ClassNonsense)
		f("an error before content "+upstream.String(), upstream, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"boom\"}}\n\n", outcome.ClassNonsense)
	}
	f("no choices", llm.Chat, `{"id":"1","object":"chat.completion","choices":[]}`, outcome.ClassNonsense)
	f("no choices in a stream", llm.Chat, "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\ndata: [DONE]\n\n", outcome.ClassNonsense)
}

func TestWhatIsToldFirst(t *testing.T) {
	order := []outcome.Class{outcome.ClassCut, outcome.ClassRateLimited, outcome.ClassOverloaded, outcome.ClassSilent,
		outcome.ClassTransient, outcome.ClassNonsense, outcome.ClassQuota, outcome.ClassCredential, outcome.ClassModel}
	for i, first := range order {
		for _, second := range order[i+1:] {
			a, b := failureOf(first, &llm.Error{}), failureOf(second, &llm.Error{})
			if !a.explains(&b) || b.explains(&a) {
				t.Errorf("%v does not come before %v", first, second)
			}
		}
	}
	cut, invalid := failureOf(outcome.ClassCut, &llm.Error{}), failureOf(outcome.ClassInvalid, &llm.Error{})
	if invalid.explains(&cut) {
		t.Error("a second target's refusal hides that the answer was cut")
	}
}

func TestTheProvidersWordsReachTheClientWhereItsRequestIsAtFault(t *testing.T) {
	for class := range outcome.Class(outcome.Classes) {
		e := &llm.Error{Message: "the provider's words"}
		reaches := failureOf(class, e).err.Message == e.Message
		want := class == outcome.ClassInvalid || class == outcome.ClassContext || class == outcome.ClassFilter
		if reaches != want {
			t.Errorf("%v: reaches the client: %v, want %v", class, reaches, want)
		}
	}
}
