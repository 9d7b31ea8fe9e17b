package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"

	"octopus/codec"
	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/dial"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// snapshot is a compiled configuration. It is immutable; a request loads it once.
type snapshot struct {
	config *config.Config
	// groups finds a group by its name or an alias.
	groups   map[string]*group
	channels map[string]*channel
	keys     map[[sha256.Size]byte]*apiKey
	// models lists the names of groups in the order of the configuration, each followed by its aliases.
	models []listedModel
	// reasoningDetails is whether a channel shows Chat clients envelopes of opaque reasoning; other clients always get them.
	reasoningDetails bool
	cors             corsPolicy
	// loads are how busy and how slow the members of groups are. The map is the snapshot's, the loads live on in the next one.
	loads   map[loadID]*lb.Load
	pricing pricing
}

// group is a compiled group.
type group struct {
	id, name string
	aliases  []string
	policy   config.Policy
	mode     config.Mode
	members  []member
	balance  balancer
	// affinity goes before balance for requests with a key; nil where kind is none.
	affinity *lb.Affinity
	kind     config.Affinity
	// limited is whether a member's channel has limits, limitsTokens whether one of them is of tokens.
	limited, limitsTokens bool
	// eligible are the members that can serve a client of a protocol at all.
	eligible [len(llm.Protocols) + 1]lb.Set
	// hedging is nil where the policy is to have no hedges.
	hedging *hedging
	metrics *groupMetrics
}

// balancer picks a member of a group.
type balancer interface {
	// Pick returns one of usable, or -1 when there is none.
	Pick(usable *lb.Set) int
}

// firstMember is the balancer of a group of one.
type firstMember struct{}

// Pick returns the first member.
func (firstMember) Pick(usable *lb.Set) int {
	if usable.Has(0) {
		return 0
	}
	return -1
}

// member is one (channel, upstream model) of a group.
type member struct {
	channel *channel
	model   string
	config  config.Member
	// health is how the model fares on the channel, nil for models that nothing lists.
	health *modelHealth
	// load is shared with other groups; nil when no group has the member.
	load *lb.Load
	// via is the protocol in which the member is called, by the client's; zero where it can't be.
	via [len(llm.Protocols) + 1]llm.Protocol
	// targets are what requests are rewritten for, by the upstream's protocol.
	targets [len(llm.Protocols) + 1]codec.Target
	// price is what the model costs there, nil when that is not known.
	price *outcome.Price
}

// channel is a compiled channel.
type channel struct {
	id, name string
	// nameHeader is the name as a header's value.
	nameHeader []byte
	// endpoints are where the channel speaks a protocol, nil where it does not. main is the first one's protocol.
	endpoints [len(llm.Protocols) + 1]*endpoint
	main      llm.Protocol
	keys      []channelKey
	// overrides are the channel's own headers that a client's would stand beside, in canonical form.
	overrides []string
	balance   balancer
	models    []string
	// standing is how the channel as such fares, health how its models do that are listed by it or by groups.
	standing *standing
	health   map[string]*modelHealth
	// listed are the models in health, in the order of the configuration.
	listed []string
	// limits bound what the channel is given, nil when nothing does.
	limits *limits
	// targets are what requests are rewritten for, by the upstream's protocol; a member adds its model.
	targets [len(llm.Protocols) + 1]codec.Target
	// host is where the channel is, for the catalog; priceMultiplier scales what its models cost there.
	host            string
	priceMultiplier int64
	// drains is whether an answer is read on for its usage when the client has left.
	drains  bool
	metrics *channelMetrics
}

// endpoint is where a channel speaks one protocol.
type endpoint struct {
	protocol llm.Protocol
	origin   *origin
	// generate and count are request lines' targets without the client's query; query is the base URL's own.
	generate, count string
	query           string
	host            string
}

// channelKey is one credential of a channel.
type channelKey struct {
	id string
	// secret is the hash of the credential.
	secret [sha256.Size]byte
	// standing is how the key fares with all models.
	standing *standing
	// headers are the header lines that carry the credential, and the channel's own, by the upstream's protocol.
	headers [len(llm.Protocols) + 1][]byte
}

// compile makes the snapshot of cfg. Balancers of groups that did not change are taken over from the previous one, so
// that their cycles go on.
func (g *Gateway) compile(cfg *config.Config, previous *snapshot) (*snapshot, error) {
	s := &snapshot{
		config:   cfg,
		groups:   make(map[string]*group, len(cfg.Groups)),
		channels: make(map[string]*channel, len(cfg.Channels)),
		keys:     make(map[[sha256.Size]byte]*apiKey, len(cfg.APIKeys)),
		cors:     newCORSPolicy(cfg.Settings.CORSOrigins),
		loads:    make(map[loadID]*lb.Load),
		pricing:  newPricing(cfg.Prices, g.options.Catalog()),
	}
	for i := range cfg.Channels {
		if c := &cfg.Channels[i]; c.Enabled {
			ch, err := g.compileChannel(c, &cfg.Settings)
			if err != nil {
				return nil, fmt.Errorf("channel %s: %w", c.Name, err)
			}
			s.channels[c.Name] = ch
			s.reasoningDetails = s.reasoningDetails || c.Convert.ReasoningDetails
		}
	}
	for i := range cfg.Groups {
		if c := &cfg.Groups[i]; c.Enabled {
			gr, err := g.compileGroup(c, s, previous)
			if err != nil {
				return nil, fmt.Errorf("group %s: %w", c.Name, err)
			}
			s.add(gr)
		}
	}
	for i := range cfg.APIKeys {
		c := &cfg.APIKeys[i]
		key := &apiKey{
			id: c.ID, name: c.Name, enabled: c.Enabled, expiresAt: c.ExpiresAt, allowedIPs: c.AllowedIPs,
			groups: newNameSet(c.Groups), channels: newNameSet(c.Channels), scope: lb.Hash(0, c.SHA256[:]),
		}
		if isLimited(c) {
			key.limits = c
		}
		s.keys[c.SHA256] = key
	}
	return s, nil
}

func (s *snapshot) add(g *group) {
	s.groups[g.name] = g
	s.models = append(s.models, listedModel{name: g.name, group: g})
	for _, alias := range g.aliases {
		s.groups[alias] = g
		s.models = append(s.models, listedModel{name: alias, group: g})
	}
}

func (g *Gateway) compileChannel(c *config.Channel, settings *config.Settings) (*channel, error) {
	ch := &channel{
		id: c.ID, name: c.Name, nameHeader: appendHeaderValue(nil, c.Name), main: c.Endpoints[0].Protocol, models: c.Models,
		limits: g.newLimits(c.ID, c.Limits), priceMultiplier: c.PriceMultiplier, drains: c.ClientGone == config.ClientGoneDrain, metrics: g.metrics.channel(c.Name),
		standing: g.health.standing(standingID{scope: scopeChannel, channel: c.ID}), health: make(map[string]*modelHealth),
	}
	for _, h := range c.Headers {
		if isForwarded([]byte(h.Name)) {
			ch.overrides = append(ch.overrides, h.Name)
		}
	}
	params, err := codec.CompileParams(c.Params)
	if err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	proxy, err := dial.ParseProxy(cmp.Or(c.Proxy, settings.Proxy).Reveal())
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	for _, e := range c.Endpoints {
		base, err := dial.ParseURL(e.BaseURL)
		if err != nil {
			return nil, err
		}
		if ch.host == "" {
			ch.host = base.Host
		}
		ch.endpoints[e.Protocol] = &endpoint{
			protocol: e.Protocol,
			origin:   g.origins.get(g.options.Dialer, originID{c.ID, proxy, base.Address}),
			generate: base.Path + generatePaths[e.Protocol],
			count:    base.Path + countPaths[e.Protocol],
			query:    base.Query,
			host:     base.Address.HostHeader(),
		}
		options := convertOptions(c, e.Protocol, base.Host)
		ch.targets[e.Protocol] = codec.Target{
			Protocol: e.Protocol, Params: params, Options: options,
			AlwaysStream: c.Convert.UpstreamStream == config.UpstreamStreamAlways,
			Sealer:       codec.NewSealer(g.options.SecretKey, options.Family, c.ID),
		}
	}
	weights := make([]lb.Member, 0, len(c.Keys))
	for i := range c.Keys {
		k := &c.Keys[i]
		ch.keys = append(ch.keys, channelKey{id: k.ID, secret: sha256.Sum256([]byte(k.Secret.Reveal())), headers: channelHeaders(c, k)})
		weights = append(weights, lb.Member{Weight: k.Weight})
	}
	if c.Auth == config.AuthNone {
		ch.keys = append(ch.keys[:0], channelKey{headers: channelHeaders(c, nil)})
		weights = append(weights[:0], lb.Member{Weight: 1})
	}
	ch.balance = lb.NewWeighted(weights)
	for i := range ch.keys {
		k := &ch.keys[i]
		k.standing = g.health.standing(standingID{scope: scopeKey, channel: c.ID, key: k.id, secret: k.secret})
	}
	for _, model := range c.Models {
		g.health.addModel(ch, model)
	}
	return ch, nil
}

// generatePaths and countPaths follow a base URL.
var (
	generatePaths = [...]string{llm.Chat: "/chat/completions", llm.Responses: "/responses", llm.Messages: "/messages"}
	countPaths    = [...]string{llm.Chat: "", llm.Responses: "/responses/input_tokens", llm.Messages: "/messages/count_tokens"}
)

func (g *Gateway) compileGroup(c *config.Group, s, previous *snapshot) (*group, error) {
	gr := &group{id: c.ID, name: c.Name, aliases: c.Aliases, policy: c.Policy, mode: c.Mode, kind: c.Affinity,
		metrics: g.metrics.group(c.Name)}
	for _, m := range c.Members {
		if ch := s.channels[m.Channel]; ch != nil {
			g.health.addModel(ch, m.Model)
			gr.members = append(gr.members, newMember(ch, m.Model).priced(&s.pricing))
			gr.members[len(gr.members)-1].config = m
		}
	}
	if c.Match != "" {
		pattern, err := regexp.Compile(c.Match)
		if err != nil {
			return nil, fmt.Errorf("match: %w", err)
		}
		gr.addMatches(pattern, s)
	}
	for i := range gr.members {
		gr.members[i].load = s.load(gr.members[i].channel, gr.members[i].model, previous)
	}
	gr.setEligible()
	if c.Affinity == config.AffinitySession || c.Affinity == config.AffinityPromptCache {
		gr.affinity = newAffinity(c.Mode, gr.members)
	}
	var old *group
	if previous != nil {
		old = previous.groups[c.Name]
	}
	gr.hedging = newHedging(&gr.policy.Hedge, old)
	if old != nil && gr.balancesLike(old) {
		gr.balance = old.balance
		return gr, nil
	}
	gr.balance = newBalancer(c.Mode, gr.members)
	return gr, nil
}

// addMatches adds a member for every channel's model that the pattern matches and that is none yet.
func (g *group) addMatches(pattern *regexp.Regexp, s *snapshot) {
	for i := range s.config.Channels {
		ch := s.channels[s.config.Channels[i].Name]
		if ch == nil {
			continue
		}
		for _, model := range ch.models {
			known := slices.ContainsFunc(g.members, func(m member) bool { return m.channel == ch && m.model == model })
			if !known && pattern.MatchString(model) {
				m := newMember(ch, model).priced(&s.pricing)
				m.config = config.Member{Channel: ch.name, Model: model, Weight: 1, Priority: 1}
				g.members = append(g.members, m)
			}
		}
	}
}

func newMember(ch *channel, model string) member {
	m := member{channel: ch, model: model, health: ch.health[model]}
	for _, p := range llm.Protocols {
		m.targets[p] = ch.targets[p]
		m.targets[p].Model = model
		m.via[p] = m.serves(p)
	}
	return m
}

// setEligible finds the members that can serve each protocol, and whether there are limits.
func (g *group) setEligible() {
	for i := range g.members {
		if l := g.members[i].channel.limits; l != nil {
			g.limited, g.limitsTokens = true, g.limitsTokens || l.TPM > 0
		}
	}
	for _, p := range llm.Protocols {
		g.eligible[p].Reset(len(g.members))
		for i := range g.members {
			if g.members[i].via[p] != 0 {
				g.eligible[p].Add(i)
			}
		}
	}
}

// keepNative takes the members out of the set that are not called in p for clients that speak it.
func (g *group) keepNative(usable *lb.Set, p llm.Protocol) {
	for i := range g.members {
		if g.members[i].via[p] != p {
			usable.Remove(i)
		}
	}
}

// serves returns the protocol in which the member is called for a client that speaks p, or zero when its channel has no key.
func (m *member) serves(p llm.Protocol) llm.Protocol {
	if len(m.channel.keys) == 0 {
		return 0
	}
	// The client's own protocol is preferred, so that most traffic is passthrough.
	if m.channel.endpoints[p] != nil {
		return p
	}
	return m.channel.main
}

// convertOptions returns a channel's options of conversion for an endpoint, with those that are guessed when not given.
func convertOptions(c *config.Channel, p llm.Protocol, host string) *llm.Options {
	options := c.Convert.Options
	if options.Family == "" {
		options.Family = "openai"
		if p == llm.Messages {
			options.Family = "anthropic"
		}
	}
	if host == "api.openai.com" || host == "api.anthropic.com" {
		options.FirstParty = true
	}
	return &options
}

// spelling returns the configuration's own string for a name of the group, which outlives the request.
func (g *group) spelling(name string) string {
	for _, alias := range g.aliases {
		if alias == name {
			return alias
		}
	}
	return g.name
}

// balancesLike reports whether the old group's balancer fits g.
func (g *group) balancesLike(old *group) bool {
	return g.mode == old.mode && slices.EqualFunc(g.members, old.members, func(a, b member) bool {
		return a.config == b.config && a.load == b.load
	})
}

// newBalancer returns the balancer of a mode.
func newBalancer(mode config.Mode, members []member) balancer {
	of := make([]lb.Member, len(members))
	for i, m := range members {
		of[i] = lb.Member{Weight: m.config.Weight, Priority: m.config.Priority}
	}
	switch mode {
	case config.ModeRandom:
		return lb.NewRandom(of, rand.IntN)
	case config.ModeFailover:
		return lb.NewFailover(of)
	case config.ModeWeighted:
		return lb.NewWeighted(of)
	case config.ModeLeastLatency:
		loads := make([]*lb.Load, len(members))
		for i := range members {
			loads[i] = members[i].load
		}
		return lb.NewLeastLatency(of, loads, sinceStart, rand.IntN)
	}
	return lb.NewRoundRobin(of)
}

// origins are the servers that channels talk to. Pools are per channel, and a connection is not used on when the channel's
// proxy or its credential is another.
type origins struct {
	// dialing ends with the gateway.
	dialing context.Context
	// mu guards known.
	mu    sync.Mutex
	known map[originID]*origin
}

// originID says which channel's connections an origin has, and where they lead.
type originID struct {
	channel string
	proxy   dial.Proxy
	address dial.Address
}

// get returns the origin of a channel's endpoint, making it if need be.
func (o *origins) get(d *dial.Dialer, id originID) *origin {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known[id] == nil {
		if o.known == nil {
			o.known = make(map[originID]*origin)
		}
		o.known[id] = newOrigin(o.dialing, d, id.proxy, id.address)
	}
	return o.known[id]
}

// keep closes what s does not use. Requests that still run on an older snapshot keep their connections.
func (o *origins) keep(s *snapshot) {
	used := make(map[*origin]bool)
	for _, ch := range s.channels {
		for _, e := range ch.endpoints {
			if e != nil {
				used[e.origin] = true
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, origin := range o.known {
		if !used[origin] {
			delete(o.known, id)
			origin.close()
		}
	}
}

// closeAll closes the unused connections of all origins.
func (o *origins) closeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, origin := range o.known {
		origin.close()
	}
}
