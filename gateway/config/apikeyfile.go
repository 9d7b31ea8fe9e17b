package config

// apiKey reads an item of the section "api_keys".
func (v value) apiKey() APIKey {
	k := APIKey{Enabled: true, BudgetPeriod: BudgetTotal, Unpriced: UnpricedRefuse}
	var plain, hashed bool
	v.fields(map[string]func(value){
		"name":          func(v value) { k.Name = v.name() },
		"key":           func(v value) { plain = true; v.apiKeySecret(&k) },
		"key_sha256":    func(v value) { hashed = true; k.SHA256 = v.sha256() },
		"enabled":       func(v value) { k.Enabled = v.boolean() },
		"groups":        func(v value) { k.Groups = v.texts() },
		"channels":      func(v value) { k.Channels = v.texts() },
		"budget_usd":    func(v value) { k.BudgetNanoUSD = v.decimal(9) },
		"budget_period": func(v value) { k.BudgetPeriod = BudgetPeriod(v.text()) },
		"rpm":           func(v value) { k.RPM = v.integer() },
		"tpm":           func(v value) { k.TPM = v.integer() },
		"concurrency":   func(v value) { k.Concurrency = v.integer() },
		"unpriced":      func(v value) { k.Unpriced = v.text() },
		"expires_at":    func(v value) { k.ExpiresAt = v.timestamp() },
		"allowed_ips": func(v value) {
			for _, item := range v.items() {
				k.AllowedIPs = append(k.AllowedIPs, item.prefix())
			}
		},
	})
	v.needs("name")
	if plain == hashed {
		v.bad("must have either key or key_sha256")
	}
	return k
}

// apiKeySecret reads the key of an API key, of which only the hash and the end are kept.
func (v value) apiKeySecret(k *APIKey) {
	key, ok := v.readText()
	switch problem := keyProblem(key); {
	case !ok:
	case problem != "":
		v.bad("%s", problem)
	case len(key) < MinAPIKeyLength:
		v.bad("must have at least %d characters", MinAPIKeyLength)
	default:
		k.SHA256 = HashAPIKey([]byte(key))
		k.Last4 = key[len(key)-4:]
	}
}
