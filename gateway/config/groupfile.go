package config

import "time"

// group reads an item of the section "groups".
func (v value) group() Group {
	g := Group{Enabled: true, Mode: ModeRoundRobin, Affinity: AffinityNone, Policy: DefaultPolicy()}
	v.fields(map[string]func(value){
		"name":     func(v value) { g.Name = v.name() },
		"aliases":  func(v value) { g.Aliases = v.texts() },
		"enabled":  func(v value) { g.Enabled = v.boolean() },
		"mode":     func(v value) { g.Mode = Mode(v.text()) },
		"affinity": func(v value) { g.Affinity = Affinity(v.text()) },
		"members":  func(v value) { g.Members = v.members() },
		"match":    func(v value) { g.Match = v.text() },
		"policy":   func(v value) { v.policy(&g.Policy) },
	})
	v.needs("name")
	return g
}

func (v value) members() []Member {
	var members []Member
	for _, item := range v.items() {
		m := Member{Weight: 1, Priority: 1}
		item.fields(map[string]func(value){
			"channel":  func(v value) { m.Channel = v.text() },
			"model":    func(v value) { m.Model = v.text() },
			"weight":   func(v value) { m.Weight = v.integer() },
			"priority": func(v value) { m.Priority = v.integer() },
		})
		members = append(members, m)
	}
	return members
}

func (v value) policy(p *Policy) {
	v.fields(map[string]func(value){
		"attempts":            func(v value) { p.Attempts = v.integer() },
		"attempts_per_target": func(v value) { p.AttemptsPerTarget = v.integer() },
		"deadline":            func(v value) { p.Deadline = v.duration() },
		"connect_timeout":     func(v value) { p.ConnectTimeout = v.duration() },
		"first_token_timeout": func(v value) { p.FirstTokenTimeout = v.duration() },
		"answer_timeout":      func(v value) { p.AnswerTimeout = v.duration() },
		"idle_timeout":        func(v value) { p.IdleTimeout = v.duration() },
		"keepalive":           func(v value) { p.KeepAlive = v.duration() },
		"rate_limit_wait":     func(v value) { p.RateLimitWait = v.duration() },
		"commit":              func(v value) { p.Commit = Commit(v.text()) },
		"cooldown":            func(v value) { v.cooldown(&p.Cooldown) },
		"hedge":               func(v value) { v.hedge(&p.Hedge) },
	})
}

func (v value) cooldown(c *Cooldown) {
	v.fields(map[string]func(value){
		"base": func(v value) { c.Base = v.duration() },
		"max":  func(v value) { c.Max = v.duration() },
	})
}

func (v value) hedge(h *Hedge) {
	v.fields(map[string]func(value){
		"after":     func(v value) { v.hedgeAfter(h) },
		"max_share": func(v value) { h.MaxShare = v.integer() },
	})
}

func (v value) hedgeAfter(h *Hedge) {
	const want = "none, p95 or a duration such as 2s"
	text, ok := v.plain(want, tagText, tagInt)
	switch {
	case !ok || text == "none":
		return
	case text == "p95":
		h.P95 = true
		return
	}
	after, err := time.ParseDuration(text)
	if err != nil {
		v.bad("must be %s", want)
	}
	h.After = after
}
