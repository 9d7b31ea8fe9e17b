package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// The limits of an API key: requests and tokens per minute, requests at once, and a budget. They are checked once per request,
// when it is known to be good, and nobody waits for them. What a request takes is settled when it ends, however that comes
// about.
//
// A budget is reserved in advance: the guess at the prompt (a quarter of its bytes) and the most tokens of output, by the dearest
// price of the members that may answer. In the end it is charged what the request cost. Attempts that failed cost nothing.
// An answer that has begun and whose cost is not known is charged by the same guess at its prompt, and for what the client got of
// it (keyUsed). What a provider adds to the prompt by itself, an earlier response for one, is not in the guess.

// keyUse is what a call has of its API key's limits. The zero value is that they were not asked, or that there are none.
type keyUse struct {
	// asked is whether standing is known, held whether taken is to be settled.
	asked, held bool
	taken       Claim
	standing    Standing
}

// takeKeyLimits takes what the call needs of its API key's limits, or returns the error for the client. Finish gives it back.
func (c *call) takeKeyLimits() *llm.Error {
	k := c.key.limits
	if k == nil {
		return nil
	}
	var want Claim
	if c.spends() {
		want = Claim{Tokens: c.promptTokens(), Spends: true}
		if k.BudgetNanoUSD > 0 {
			nanoUSD, priced := c.expectedCost()
			if !priced && c.refusesUnpriced() {
				return c.unpriced()
			}
			want.NanoUSD = nanoUSD
		}
	}
	u := &c.keyUse
	u.taken, u.standing = c.gateway.shared.Take(k, want)
	u.asked, u.held = true, u.standing.Refused == NoLimit
	if !u.held {
		return refusedBy(&u.standing, k)
	}
	return nil
}

// spends reports whether the request is one that costs tokens.
func (c *call) spends() bool {
	return c.outcome.Operation == outcome.Generate || c.outcome.Operation == outcome.Compact
}

// refusesUnpriced reports whether the call must not reach models without a price: a budget would not notice them.
func (c *call) refusesUnpriced() bool {
	k := c.key.limits
	return k != nil && k.BudgetNanoUSD > 0 && k.Unpriced != config.UnpricedAllow && c.spends()
}

// unpriced is the answer to a request that only models without a price could serve.
func (c *call) unpriced() *llm.Error {
	return &llm.Error{Kind: llm.InvalidRequest, Code: "model_unpriced", Param: "model", NoRetry: true,
		Message: "The price of the model " + strconv.Quote(c.outcome.Requested) + " is not known, and this API key has a budget."}
}

// isPriced reports whether the price of the member's model is known.
func (m *member) isPriced() bool { return m.price != nil && m.price.Input >= 0 && m.price.Output >= 0 }

// leaveOutUnpriced takes the members without a price out of usable, for a call that must not reach them.
func (c *call) leaveOutUnpriced(usable *lb.Set) {
	if !c.refusesUnpriced() || usable.Len() == 0 {
		return
	}
	members := c.route.group.members
	for i := range members {
		if !members[i].isPriced() {
			usable.Remove(i)
		}
	}
	if usable.Len() == 0 {
		c.refusal = c.unpriced()
	}
}

// expectedCost returns the most that the request is expected to cost, and whether a member that may serve it has a price, or none
// may serve it at all.
func (c *call) expectedCost() (nanoUSD int64, priced bool) {
	g, p := c.route.group, c.request.Protocol
	priced = g.eligible[p].Len() == 0
	for i := range g.members {
		if m := &g.members[i]; g.eligible[p].Has(i) && m.isPriced() {
			nanoUSD = max(nanoUSD, m.costs(c.promptTokens(), c.request.MostOutput(&m.targets[m.via[p]].Capabilities)))
			priced = true
		}
	}
	return nanoUSD, priced
}

// costs returns what so many tokens cost in nano-USD, those of the prompt at the dearer of the prices for reading them and for
// writing them to a cache; zero when there is no price.
func (m *member) costs(prompt, output int64) int64 {
	multiplier := m.channel.priceMultiplier
	read, _ := outcome.Cost(&llm.Usage{Input: prompt, Output: output, Knowledge: llm.Estimated}, m.price, multiplier)
	written, _ := outcome.Cost(&llm.Usage{CacheWrite5m: prompt, Output: output, Knowledge: llm.Estimated}, m.price, multiplier)
	return max(read, written)
}

// keyDue is what a call owes its API key's limits. The zero value is nothing.
type keyDue struct {
	shared      Shared
	key         *config.APIKey
	taken, used Claim
}

// keyDue returns what the call owes, which is settled once. Until it is known what was used, that is all that was taken when an
// answer has begun, else nothing.
func (c *call) keyDue(begun bool) keyDue {
	if !c.keyUse.held {
		return keyDue{}
	}
	c.keyUse.held = false
	due := keyDue{shared: c.gateway.shared, key: c.key.limits, taken: c.keyUse.taken}
	if begun {
		due.used = due.taken
	}
	return due
}

func (d *keyDue) settle() {
	if d.shared != nil {
		d.shared.Settle(d.key, d.taken, d.used)
	}
}

// streamTokenBytes is how many bytes of a stream are a token at least, where none are reported: each event has its frame.
const streamTokenBytes = 16

// keyUsed returns what the call has used in the end. It is called once the call is billed. What is not known, or known to be too
// low as the answer was cut, is guessed: the prompt as in advance, and a token for tokenBytes of a whole answer or
// streamTokenBytes of a stream, at most as many as the request allows. Members without a price cost nothing.
func (c *call) keyUsed(begun bool) Claim {
	if !c.keyUse.taken.Spends {
		return Claim{}
	}
	o := &c.outcome
	used := Claim{Tokens: o.Usage.Total(), NanoUSD: o.CostNanoUSD}
	if !begun {
		return used
	}
	if o.Usage.Knowledge == llm.Unknown {
		used.Tokens = c.keyUse.taken.Tokens
	}
	if m := c.attempt.target.member; c.key.limits.BudgetNanoUSD > 0 && m != nil && m.price != nil && (!o.CostKnown || o.Usage.Knowledge == llm.Partial) {
		output := o.BytesOut / tokenBytes
		if o.Stream {
			output = o.BytesOut / streamTokenBytes
		}
		used.NanoUSD = max(used.NanoUSD, m.costs(c.promptTokens(), min(output, c.request.MostOutput(&c.attempt.target.codec.Capabilities))))
	}
	return used
}

// refusedBy returns what a client is told that a limit of its API key refuses.
func refusedBy(s *Standing, k *config.APIKey) *llm.Error {
	e := &llm.Error{Kind: llm.RateLimit, RetryAfter: s.Wait}
	switch s.Refused {
	case LimitBudget:
		e.Kind, e.NoRetry = llm.Billing, true
		e.Message = "This API key has spent its budget of " + budgetOf(k) + "."
		if s.Wait > 0 {
			e.Message += " The next one begins at " + time.Now().Add(s.Wait).Format(time.RFC3339) + "."
		}
	case LimitReserved:
		e.RetryAfter = overloadRetry
		e.Message = "The requests of this API key that are running may need what is left of its budget of " + budgetOf(k) +
			". Try again when they have ended, or ask for fewer output tokens."
	case LimitConcurrency:
		e.RetryAfter = overloadRetry
		e.Message = "This API key is at its limit of " + strconv.Itoa(k.Concurrency) + " requests at once (concurrency)."
	case LimitRequests:
		e.Message = "This API key is at its limit of " + strconv.Itoa(k.RPM) + " requests per minute (rpm)."
	case LimitTokens:
		e.Message = "This API key is at its limit of " + strconv.Itoa(k.TPM) + " tokens per minute (tpm)."
	}
	return e
}

// budgetOf says a budget in words: "$1.50", "$20 a day".
func budgetOf(k *config.APIKey) string {
	text := "$" + strconv.FormatInt(k.BudgetNanoUSD/1e9, 10)
	if rest := k.BudgetNanoUSD % 1e9; rest > 0 {
		digits := strconv.FormatInt(1e9+rest, 10)[1:]
		digits = strings.TrimRight(digits, "0")
		if len(digits) == 1 {
			digits += "0"
		}
		text += "." + digits
	}
	switch k.BudgetPeriod {
	case config.BudgetDay:
		return text + " a day"
	case config.BudgetMonth:
		return text + " a month"
	}
	return text + " in total"
}

// tellsKeyLimits reports whether the answer says what is left of the API key's limits per minute.
func (c *call) tellsKeyLimits() bool {
	return c.keyUse.asked && (c.key.limits.RPM > 0 || c.key.limits.TPM > 0)
}

// allowanceHeaders are the names of the three headers about one limit, in canonical form.
type allowanceHeaders struct{ limit, remaining, reset []byte }

// The headers about the limits of an API key, as the providers have them (anthropicLimits, openAILimits).
var (
	openAIRequests    = allowanceHeaders{[]byte(openAILimits + "Limit-Requests"), []byte(openAILimits + "Remaining-Requests"), []byte(openAILimits + "Reset-Requests")}
	openAITokens      = allowanceHeaders{[]byte(openAILimits + "Limit-Tokens"), []byte(openAILimits + "Remaining-Tokens"), []byte(openAILimits + "Reset-Tokens")}
	anthropicRequests = allowanceHeaders{[]byte(anthropicLimits + "Requests-Limit"), []byte(anthropicLimits + "Requests-Remaining"), []byte(anthropicLimits + "Requests-Reset")}
	anthropicTokens   = allowanceHeaders{[]byte(anthropicLimits + "Tokens-Limit"), []byte(anthropicLimits + "Tokens-Remaining"), []byte(anthropicLimits + "Tokens-Reset")}
)

// setKeyLimits says in the headers of the client's protocol what is left of the API key's limits per minute.
func (c *call) setKeyLimits(h *fasthttp.ResponseHeader) {
	if !c.tellsKeyLimits() {
		return
	}
	requests, tokens := &openAIRequests, &openAITokens
	if c.outcome.Protocol == llm.Messages {
		requests, tokens = &anthropicRequests, &anthropicTokens
	}
	k, s := c.key.limits, &c.keyUse.standing
	c.setAllowance(h, requests, k.RPM, s.Requests)
	c.setAllowance(h, tokens, k.TPM, s.Tokens)
}

// setAllowance sets the headers about one limit, unless there is none.
func (c *call) setAllowance(h *fasthttp.ResponseHeader, names *allowanceHeaders, limit int, a Allowance) {
	if limit == 0 {
		return
	}
	h.SetCanonical(names.limit, strconv.AppendInt(c.scratch[:0], int64(limit), 10))
	h.SetCanonical(names.remaining, strconv.AppendInt(c.scratch[:0], a.Left, 10))
	if c.outcome.Protocol == llm.Messages {
		at := time.Now().Add(a.Reset + time.Second - 1).UTC() // whole seconds, not before the time
		h.SetCanonical(names.reset, at.AppendFormat(c.scratch[:0], time.RFC3339))
		return
	}
	h.SetCanonical(names.reset, appendReset(c.scratch[:0], a.Reset))
}

// appendReset appends a duration as OpenAI has it: "59.5s", "1m0.5s".
func appendReset(dst []byte, d time.Duration) []byte {
	d = d.Round(time.Millisecond)
	if d >= time.Minute {
		dst = append(strconv.AppendInt(dst, int64(d/time.Minute), 10), 'm')
	}
	return append(strconv.AppendFloat(dst, (d%time.Minute).Seconds(), 'f', -1, 64), 's')
}
