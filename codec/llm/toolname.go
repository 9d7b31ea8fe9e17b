package llm

// hashDigits is how many characters of a hash tell shortened names apart, as long as they suffice.
const hashDigits = 9

// WireName returns the name that a tool goes by where names are 1 to limit letters, digits, underscores and hyphens and
// there are no namespaces (protocols.md B.5.1). limit is at least 64. taken reports whether another tool has a name already;
// nil means that none has.
//
// A tool in a namespace is called namespace__name. What is too long, has other characters or is taken gets them replaced by
// underscores, is cut, and ends in a hash of the full name. The result depends on the names only, so that the same tools have
// the same names in every request and prompt caches keep working.
func WireName(namespace, name string, limit int, taken func(string) bool) string {
	full := name
	if namespace != "" {
		full = namespace + "__" + name
	}
	if isWireName(full, limit) && (taken == nil || !taken(full)) {
		return full
	}
	clean := []byte(full)
	for i, c := range clean {
		if !isWireByte(c) {
			clean[i] = '_'
		}
	}
	// The NUL keeps a__b/c and a/b__c apart.
	identity := namespace + "\x00" + name
	for n := hashDigits; ; n++ {
		wire := append([]byte(nil), clean[:min(len(clean), limit-1-n)]...)
		wire = appendHash(append(wire, '_'), identity, n)
		if s := string(wire); n == 52 || taken == nil || !taken(s) {
			return s
		}
	}
}
