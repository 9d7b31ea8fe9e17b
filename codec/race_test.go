//go:build race

package codec

// cutStep is at which bytes the golden streams are cut in two: not at all of them, where each costs ten times as much.
const cutStep = 19
