package config

// pricedPath returns the path of a price by its model and channel.
func pricedPath(index int, item value) string {
	return pricePath(index, &Price{Model: item.peek("model"), Channel: item.peek("channel")})
}

// price reads an item of the section "prices". Prices are USD per million tokens, which is millions of pico-USD per token.
func (v value) price() Price {
	p := Price{Input: NoPrice, Output: NoPrice, CacheRead: NoPrice, CacheWrite: NoPrice}
	v.fields(map[string]func(value){
		"model":       func(v value) { p.Model = v.name() },
		"channel":     func(v value) { p.Channel = v.text() },
		"input":       func(v value) { p.Input = v.decimal(6) },
		"output":      func(v value) { p.Output = v.decimal(6) },
		"cache_read":  func(v value) { p.CacheRead = v.decimal(6) },
		"cache_write": func(v value) { p.CacheWrite = v.decimal(6) },
	})
	v.needs("model")
	return p
}
