package config

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Validate checks everything that the doc comments of the types promise: ranges, names that are unique, references that
// resolve. The error is nil or FieldErrors, with every bad field. A channel without keys and a group without members are
// valid: requests for them are answered with 503.
func (c *Config) Validate() error {
	v := validator{channels: make(map[string]bool), groups: make(map[string]string)}
	for i := range c.Channels {
		v.channels[c.Channels[i].Name] = true
	}
	for i := range c.Groups {
		v.groups[c.Groups[i].Name] = c.Groups[i].Name
	}
	v.checkChannels(c.Channels)
	v.checkGroups(c.Groups)
	v.checkAPIKeys(c.APIKeys)
	v.checkPrices(c.Prices)
	v.checkSettings(&c.Settings)
	return v.errors.orNil()
}

// validator collects the bad fields of one configuration.
type validator struct {
	errors FieldErrors
	// channels holds the names of all channels.
	channels map[string]bool
	// groups leads from every name and alias seen so far to the name of its group.
	groups map[string]string
}

// bad notes that the field at path is wrong.
func (v *validator) bad(path, format string, args ...any) {
	v.errors.add(path, 0, fmt.Sprintf(format, args...))
}

// check notes problem, unless it is empty.
func (v *validator) check(path, problem string) {
	if problem != "" {
		v.errors.add(path, 0, problem)
	}
}

// objectPath is the path of an object: by name, or by place when the name is no use.
func objectPath(section string, index int, name string) string {
	if nameProblem(name, maxModelName) != "" {
		return itemPath(section, index)
	}
	return section + "[" + strconv.Quote(name) + "]"
}

// pricePath is objectPath for a price.
func pricePath(index int, p *Price) string {
	if p.Channel == "" || nameProblem(p.Model, maxModelName) != "" || nameProblem(p.Channel, maxName) != "" {
		return objectPath("prices", index, p.Model)
	}
	return "prices[" + strconv.Quote(p.Model) + ", " + strconv.Quote(p.Channel) + "]"
}

// itemPath is the path of an item of a list.
func itemPath(list string, index int) string { return list + "[" + strconv.Itoa(index) + "]" }

// Lengths of names in bytes.
const (
	// maxName is the longest name of a channel, a channel's key or an API key.
	maxName = 64
	// maxModelName is the longest name of a group or model.
	maxModelName = 256
)

// nameProblem says what is wrong with a name, or nothing.
func nameProblem(name string, limit int) string {
	switch {
	case name == "":
		return "must be given"
	case len(name) > limit:
		return fmt.Sprintf("must have at most %d bytes", limit)
	case !utf8.ValidString(name):
		return "must be valid UTF-8"
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return "must not have control characters"
		}
	}
	return ""
}

// publicNameProblem is nameProblem for names that an API key can list.
func publicNameProblem(name string, limit int) string {
	if name == "*" {
		return `must not be "*", which stands for all`
	}
	return nameProblem(name, limit)
}

// checkObject checks what all objects share. ids leads from the IDs seen so far to the path of their object.
func (v *validator) checkObject(path string, o *Object, ids map[string]string) {
	v.checkID(path, o.ID, ids)
	if o.Managed != "" && o.Managed != ManagedByFile {
		v.bad(path+".managed", `must be empty or "file"`)
	}
}

func (v *validator) checkID(path, id string, ids map[string]string) {
	if !isID(id) {
		v.bad(path+".id", "must be 12 letters or digits")
	} else if first, used := ids[id]; used {
		v.bad(path+".id", "is also the id of %s", first)
	} else {
		ids[id] = path
	}
}

func (v *validator) checkChannels(channels []Channel) {
	ids := make(map[string]string)
	names := make(map[string]bool)
	for i := range channels {
		c := &channels[i]
		path := objectPath("channels", i, c.Name)
		if names[c.Name] {
			path = itemPath("channels", i)
			v.bad(path+".name", "is also the name of another channel")
		}
		names[c.Name] = true
		v.checkObject(path, &c.Object, ids)
		v.checkChannel(path, c)
	}
}

func (v *validator) checkChannel(path string, c *Channel) {
	v.check(path+".name", publicNameProblem(c.Name, maxName))
	if strings.Contains(c.Name, "/") {
		v.bad(path+".name", "must not have a slash, which parts channel and model in requests")
	}
	v.checkEndpoints(path, c.Endpoints)
	switch c.Auth {
	case "", AuthBearer, AuthXAPIKey, AuthAPIKey, AuthNone:
	default:
		v.bad(path+".auth", "must be bearer, x-api-key, api-key or none")
	}
	v.checkKeys(path, c.Keys)
	v.checkModels(path+".models", c.Models)
	v.checkPattern(path+".model_sync.include", c.ModelSync.Include)
	v.checkHeaders(path, c.Headers)
	v.checkParams(path+".params", c.Params)
	switch c.Convert.MaxTokensField {
	case "", "max_tokens", "max_completion_tokens":
	default:
		v.bad(path+".convert.max_tokens_field", "must be max_tokens or max_completion_tokens")
	}
	if c.Convert.MaxTokens < 0 {
		v.bad(path+".convert.max_tokens", "must not be negative")
	}
	switch c.Convert.UpstreamStream {
	case "", UpstreamStreamClient, UpstreamStreamAlways:
	default:
		v.bad(path+".convert.upstream_stream", "must be client or always")
	}
	switch c.ClientGone {
	case "", ClientGoneCancel, ClientGoneDrain:
	default:
		v.bad(path+".client_gone", "must be cancel or drain")
	}
	v.check(path+".proxy", proxyProblem(c.Proxy))
	if c.PriceMultiplier < 0 || c.PriceMultiplier > MaxPriceMultiplier {
		v.bad(path+".price_multiplier", "must be from 0 to %d", int(MaxPriceMultiplier/PriceMultiplierOne))
	}
	v.checkNotNegative(path+".limits.concurrency", int64(c.Limits.Concurrency))
	v.checkNotNegative(path+".limits.rpm", int64(c.Limits.RPM))
	v.checkNotNegative(path+".limits.tpm", int64(c.Limits.TPM))
}

// checkEndpoints checks the main endpoint, which stands in the channel itself, and the further ones, which stand in its
// list "endpoints".
func (v *validator) checkEndpoints(channel string, endpoints []Endpoint) {
	if len(endpoints) == 0 {
		v.bad(channel+".base_url", "must be given")
	}
	for i, e := range endpoints {
		path := channel
		if i > 0 {
			path = itemPath(channel+".endpoints", i-1)
		}
		if e.Protocol.String() == "none" {
			v.bad(path+".type", "must be openai-chat, openai-responses or anthropic")
		} else if slices.ContainsFunc(endpoints[:i], func(o Endpoint) bool { return o.Protocol == e.Protocol }) {
			v.bad(path+".type", "is an endpoint of this channel already")
		}
		if e.BaseURL == "" {
			v.bad(path+".base_url", "must be given")
		} else {
			v.check(path+".base_url", baseURLProblem(e.BaseURL))
		}
	}
}

func (v *validator) checkKeys(channel string, keys []Key) {
	ids := make(map[string]string)
	names := make(map[string]bool)
	secrets := make(map[Secret]int)
	for i, k := range keys {
		path := itemPath(channel+".keys", i)
		v.checkID(path, k.ID, ids)
		if k.Name != "" {
			v.check(path+".name", nameProblem(k.Name, maxName))
			if names[k.Name] {
				v.bad(path+".name", "is also the name of another key of this channel")
			}
			names[k.Name] = true
		}
		v.check(path+".key", keyProblem(k.Secret.Reveal()))
		if first, used := secrets[k.Secret]; used {
			v.bad(path+".key", "is the same as that of keys[%d]", first)
		} else {
			secrets[k.Secret] = i
		}
		v.checkRange(path+".weight", k.Weight, 1, 1000)
	}
}

// keyProblem says what is wrong with a credential, or nothing. It travels in a header as it is.
func keyProblem(key string) string {
	if key == "" {
		return "must be given"
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] >= 0x7f {
			return "must be visible ASCII, without spaces or line breaks"
		}
	}
	return ""
}

func (v *validator) checkModels(path string, models []string) {
	seen := make(map[string]int)
	for i, model := range models {
		v.check(itemPath(path, i), nameProblem(model, maxModelName))
		if first, twice := seen[model]; twice {
			v.bad(itemPath(path, i), "is the same as item %d", first)
		} else {
			seen[model] = i
		}
	}
}

func (v *validator) checkPattern(path, pattern string) {
	_, err := regexp.Compile(pattern)
	var bad *syntax.Error
	if errors.As(err, &bad) {
		v.bad(path, "must be an RE2 expression: %s", bad.Code)
	}
}

func (v *validator) checkHeaders(channel string, headers []Header) {
	for i, h := range headers {
		path := fieldPath(channel+".headers", h.Name)
		v.check(path, headerNameProblem(h.Name))
		v.check(path, headerValueProblem(h.Value))
		if i > 0 && headers[i-1].Name == h.Name {
			v.bad(path, "is given twice")
		} else if i > 0 && headers[i-1].Name > h.Name {
			v.bad(path, "must stand in the order of names")
		}
	}
}

func (v *validator) checkParams(path string, params json.RawMessage) {
	if params == nil {
		return
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(params, &fields); err != nil || fields == nil {
		v.bad(path, "must be a JSON object")
		return
	}
	if _, given := fields["model"]; given {
		v.bad(path+".model", "must not be set here: the member of a group names the model")
	}
	if _, given := fields["stream"]; given {
		v.bad(path+".stream", "must not be set here: the client decides")
	}
}

func (v *validator) checkGroups(groups []Group) {
	ids := make(map[string]string)
	names := make(map[string]bool)
	for i := range groups {
		g := &groups[i]
		path := objectPath("groups", i, g.Name)
		if names[g.Name] {
			path = itemPath("groups", i)
			v.bad(path+".name", "is also the name of another group")
		}
		names[g.Name] = true
		v.checkObject(path, &g.Object, ids)
		v.checkGroup(path, g)
	}
}

func (v *validator) checkGroup(path string, g *Group) {
	v.check(path+".name", publicNameProblem(g.Name, maxModelName))
	for i, alias := range g.Aliases {
		at := itemPath(path+".aliases", i)
		if problem := publicNameProblem(alias, maxModelName); problem != "" {
			v.bad(at, "%s", problem)
		} else if owner, used := v.groups[alias]; !used {
			v.groups[alias] = g.Name
		} else if owner == alias {
			v.bad(at, "%q is also the name of a group", alias)
		} else {
			v.bad(at, "%q is also an alias of group %q", alias, owner)
		}
	}
	switch g.Mode {
	case ModeRoundRobin, ModeRandom, ModeFailover, ModeWeighted, ModeLeastLatency:
	default:
		v.bad(path+".mode", "must be round-robin, random, failover, weighted or least-latency")
	}
	switch g.Affinity {
	case AffinityNone, AffinitySession, AffinityPromptCache:
	default:
		v.bad(path+".affinity", "must be none, session or prompt-cache")
	}
	v.checkMembers(path, g.Members)
	v.checkPattern(path+".match", g.Match)
	v.checkPolicy(path+".policy", &g.Policy)
}

func (v *validator) checkMembers(group string, members []Member) {
	type target struct{ channel, model string }
	seen := make(map[target]int)
	for i, m := range members {
		path := itemPath(group+".members", i)
		v.checkChannelName(path+".channel", m.Channel)
		v.check(path+".model", nameProblem(m.Model, maxModelName))
		v.checkRange(path+".weight", m.Weight, 0, 1000)
		v.checkRange(path+".priority", m.Priority, 0, 1000)
		if first, twice := seen[target{m.Channel, m.Model}]; twice {
			v.bad(path, "names the same channel and model as members[%d]", first)
		} else {
			seen[target{m.Channel, m.Model}] = i
		}
	}
}

// checkChannelName checks a reference to a channel.
func (v *validator) checkChannelName(path, name string) {
	if problem := nameProblem(name, maxName); problem != "" {
		v.bad(path, "%s", problem)
	} else if !v.channels[name] {
		v.bad(path, "there is no channel %q", name)
	}
}

// checkGroupName checks a reference to a group. Call it when the names of all groups have been seen.
func (v *validator) checkGroupName(path, name string) {
	if problem := nameProblem(name, maxModelName); problem != "" {
		v.bad(path, "%s", problem)
	} else if owner, found := v.groups[name]; !found {
		v.bad(path, "there is no group %q", name)
	} else if owner != name {
		v.bad(path, "is an alias; name the group itself, %q", owner)
	}
}

func (v *validator) checkPolicy(path string, p *Policy) {
	v.checkRange(path+".attempts", p.Attempts, 1, 20)
	v.checkRange(path+".attempts_per_target", p.AttemptsPerTarget, 1, 10)
	v.checkDuration(path+".deadline", p.Deadline, 0)
	v.checkDuration(path+".connect_timeout", p.ConnectTimeout, 1)
	v.checkDuration(path+".first_token_timeout", p.FirstTokenTimeout, 0)
	v.checkDuration(path+".answer_timeout", p.AnswerTimeout, 0)
	v.checkDuration(path+".idle_timeout", p.IdleTimeout, 0)
	v.checkDuration(path+".keepalive", p.KeepAlive, 0)
	v.checkDuration(path+".rate_limit_wait", p.RateLimitWait, 0)
	switch p.Commit {
	case CommitFirstToken, CommitComplete:
	default:
		v.bad(path+".commit", "must be first-token or complete")
	}
	v.checkDuration(path+".cooldown.base", p.Cooldown.Base, 0)
	v.checkDuration(path+".cooldown.max", p.Cooldown.Max, 0)
	if p.Cooldown.Max < p.Cooldown.Base {
		v.bad(path+".cooldown.max", "must not be less than cooldown.base")
	}
	v.checkDuration(path+".hedge.after", p.Hedge.After, 0)
	if p.Hedge.P95 && p.Hedge.After != 0 {
		v.bad(path+".hedge.after", "must be none, p95 or a duration, only one of them")
	}
	v.checkRange(path+".hedge.max_share", p.Hedge.MaxShare, 0, 100)
}

func (v *validator) checkAPIKeys(keys []APIKey) {
	ids := make(map[string]string)
	names := make(map[string]bool)
	hashes := make(map[[sha256.Size]byte]string)
	for i := range keys {
		k := &keys[i]
		path := objectPath("api_keys", i, k.Name)
		if names[k.Name] {
			path = itemPath("api_keys", i)
			v.bad(path+".name", "is also the name of another API key")
		}
		names[k.Name] = true
		v.checkObject(path, &k.Object, ids)
		if k.SHA256 == ([sha256.Size]byte{}) {
			v.bad(path+".key", "must be given, or key_sha256")
		} else if first, used := hashes[k.SHA256]; used {
			v.bad(path+".key", "is the same as that of %s", first)
		} else {
			hashes[k.SHA256] = path
		}
		v.checkAPIKey(path, k)
	}
}

func (v *validator) checkAPIKey(path string, k *APIKey) {
	v.check(path+".name", nameProblem(k.Name, maxName))
	if k.Last4 != "" && (len(k.Last4) != 4 || keyProblem(k.Last4) != "") {
		v.bad(path+".last4", "must be four visible characters, or empty")
	}
	for i, name := range k.Groups {
		if name != "*" {
			v.checkGroupName(itemPath(path+".groups", i), name)
		}
	}
	for i, name := range k.Channels {
		if name != "*" {
			v.checkChannelName(itemPath(path+".channels", i), name)
		}
	}
	v.checkNotNegative(path+".budget_usd", k.BudgetNanoUSD)
	switch k.BudgetPeriod {
	case "", BudgetTotal, BudgetDay, BudgetMonth:
	default:
		v.bad(path+".budget_period", "must be total, day or month")
	}
	v.checkNotNegative(path+".rpm", int64(k.RPM))
	v.checkNotNegative(path+".tpm", int64(k.TPM))
	v.checkNotNegative(path+".concurrency", int64(k.Concurrency))
	switch k.Unpriced {
	case "", UnpricedRefuse, UnpricedAllow:
	default:
		v.bad(path+".unpriced", "must be refuse or allow")
	}
	for i, prefix := range k.AllowedIPs {
		if !prefix.IsValid() || canonicalPrefix(prefix) != prefix {
			v.bad(itemPath(path+".allowed_ips", i), "must be an address range without bits beyond its length")
		}
	}
}

// canonicalPrefix returns prefix with the bits beyond its length cleared, and IPv4 in IPv6 as IPv4, so that it meets the
// addresses of clients in the form they are compared in.
func canonicalPrefix(prefix netip.Prefix) netip.Prefix {
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked()
}

func (v *validator) checkPrices(prices []Price) {
	type place struct{ model, channel string }
	ids := make(map[string]string)
	seen := make(map[place]bool)
	for i := range prices {
		p := &prices[i]
		path := pricePath(i, p)
		if seen[place{p.Model, p.Channel}] {
			path = itemPath("prices", i)
			v.bad(path+".model", "has a price for the same channel already")
		}
		seen[place{p.Model, p.Channel}] = true
		v.checkObject(path, &p.Object, ids)
		v.checkPrice(path, p)
	}
}

func (v *validator) checkPrice(path string, p *Price) {
	v.check(path+".model", nameProblem(p.Model, maxModelName))
	if p.Channel != "" {
		v.checkChannelName(path+".channel", p.Channel)
	}
	if p.Input < 0 && p.Output < 0 && p.CacheRead < 0 && p.CacheWrite < 0 {
		v.bad(path, "must give input, output, cache_read or cache_write")
	}
	v.checkPriceValue(path+".input", p.Input)
	v.checkPriceValue(path+".output", p.Output)
	v.checkPriceValue(path+".cache_read", p.CacheRead)
	v.checkPriceValue(path+".cache_write", p.CacheWrite)
}

func (v *validator) checkPriceValue(path string, picoUSDPerToken int64) {
	if picoUSDPerToken > MaxPrice {
		v.bad(path, "must be at most 100000 USD per million tokens")
	}
}

func (v *validator) checkSettings(s *Settings) {
	switch s.LogBodies {
	case LogBodiesNone, LogBodiesErrors, LogBodiesAll:
	default:
		v.bad("settings.log_bodies", "must be none, errors or all")
	}
	v.checkDuration("settings.log_retention", s.LogRetention, 0)
	v.checkNotNegative("settings.log_max_size", s.LogMaxSize)
	v.checkDuration("settings.stats_save_interval", s.StatsSaveInterval, MinStatsSaveInterval)
	v.checkDuration("settings.price_sync_interval", s.PriceSyncInterval, 0)
	if s.PriceSyncURL != "" || s.PriceSyncInterval > 0 {
		v.check("settings.price_sync_url", sourceURLProblem(s.PriceSyncURL))
	}
	v.checkDuration("settings.model_sync_interval", s.ModelSyncInterval, 0)
	v.check("settings.proxy", proxyProblem(s.Proxy))
	for i, origin := range s.CORSOrigins {
		v.check(itemPath("settings.cors_origins", i), originProblem(origin))
	}
	switch s.ResponseModel {
	case ResponseModelUpstream, ResponseModelRequested:
	default:
		v.bad("settings.response_model", "must be upstream or requested")
	}
	v.checkDuration("settings.response_store.ttl", s.ResponseStore.TTL, 0)
	v.checkNotNegative("settings.response_store.max_bytes", s.ResponseStore.MaxBytes)
}

// checkRange checks that value is from least to most, both included.
func (v *validator) checkRange(path string, value, least, most int) {
	if value < least || value > most {
		v.bad(path, "must be from %d to %d", least, most)
	}
}

func (v *validator) checkNotNegative(path string, value int64) {
	if value < 0 {
		v.bad(path, "must not be negative")
	}
}

// checkDuration checks a duration from least to MaxDuration.
func (v *validator) checkDuration(path string, d, least time.Duration) {
	switch {
	case d < 0:
		v.bad(path, "must not be negative")
	case d == 0 && least > 0:
		v.bad(path, "must not be zero")
	case d < least:
		v.bad(path, "must be at least %s", least)
	case d > MaxDuration:
		v.bad(path, "must be at most %d hours", int(MaxDuration.Hours()))
	}
}
