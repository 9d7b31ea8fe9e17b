package outcome

import (
	"math"
	"math/bits"

	"octopus/codec/llm"
)

// MultiplierOne is the multiplier that leaves a price as it is listed.
const MultiplierOne = 1_000_000

// Cost returns what a call cost by a price times a multiplier (in millionths; 0 is free), in nano-USD, rounded to the nearest. It
// returns false when that can't be said:
// the usage is not known, the price lacks a rate for tokens that were used, or a faster service was used whose rates are not
// known. A nil price is none. The slower service (flex) counts at the ordinary rates, which are never below its own.
//
// The arithmetic is exact: integers of 128 bits, with one rounding at the end. A cost beyond an int64 is the largest int64.
func Cost(u *llm.Usage, p *Price, multiplier int64) (nanoUSD int64, ok bool) {
	if p == nil || u.Knowledge == llm.Unknown {
		return 0, false
	}
	r := p.rates(u.Prompt())
	if u.Service == llm.ServiceFast {
		if p.Fast == nil {
			return 0, false
		}
		r = *p.Fast
	}
	inputAudio, outputAudio := min(u.InputAudio, u.Input), min(u.OutputAudio, u.Output)
	reasoning := min(u.Reasoning, u.Output-outputAudio)
	var sum picoUSD
	for _, part := range [...]struct{ tokens, rate int64 }{
		{u.Input - inputAudio, r.Input},
		{inputAudio, known(r.InputAudio, r.Input)},
		{u.CacheRead, r.cacheRead()},
		{u.CacheWrite5m, r.cacheWrite5m()},
		{u.CacheWrite1h, r.cacheWrite1h()},
		{u.Output - outputAudio - reasoning, r.Output},
		{reasoning, known(r.Reasoning, r.Output)},
		{outputAudio, known(r.OutputAudio, r.Output)},
	} {
		if part.tokens == 0 {
			continue
		}
		if part.rate < 0 {
			return 0, false
		}
		sum.add(uint64(part.tokens), uint64(part.rate))
	}
	return sum.nano(uint64(multiplier)), true
}

// picoUSD is a sum of money of 128 bits.
type picoUSD struct{ high, low uint64 }

// add adds tokens times rate.
func (s *picoUSD) add(tokens, rate uint64) {
	high, low := bits.Mul64(tokens, rate)
	var carry uint64
	s.low, carry = bits.Add64(s.low, low, 0)
	s.high += high + carry // eight products of two 63-bit numbers fit
}

// nano returns the sum times multiplier (in millionths) in nano-USD.
func (s *picoUSD) nano(multiplier uint64) int64 {
	const divisor = MultiplierOne * 1000
	over, high := bits.Mul64(s.high, multiplier)
	carry, low := bits.Mul64(s.low, multiplier)
	high, carry = bits.Add64(high, carry, 0)
	over += carry
	low, carry = bits.Add64(low, divisor/2, 0)
	high, carry = bits.Add64(high, 0, carry)
	if over+carry > 0 || high >= divisor {
		return math.MaxInt64
	}
	nano, _ := bits.Div64(high, low, divisor)
	return int64(min(nano, math.MaxInt64))
}
