package codec

import "testing"

func TestMask(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(appendMasked([]byte("> "), []byte(text))); got != "> "+want {
			t.Errorf("%s:\ngot  %s\nwant %s", text, got[2:], want)
		}
	}
	f("", "")
	f("Incorrect API key provided: sk-proj-abcd****WXYZ.", "Incorrect API key provided: sk-***.")
	f("key sk-abcdefgh (sk-ant-api03-xyz_1-AA)", "key sk-*** (sk-***)")
	f("in organization org-AbCdEf123456 on tokens per min", "in organization org-*** on tokens per min")
	f("project proj_0123abcd, account acct_1Ab2Cd3", "project proj_***, account acct_***")
	f(`{"a":"x\norg-AbC12345\u003cuser-0123456789\u003e"}`, `{"a":"x\norg-***\u003cuser-***\u003e"}`)
	f("your organization (3f2504e0-4f89-41d3-9a0c-0305e82c3301) may", "your organization (***) may")
	f("gsk_abcdef1 xai-abcdefg AIzaSyD0123456", "gsk_*** xai-*** AIza***")
	f("hf_abcdefgh nvapi-abcdefgh AKIAIOSFODNN7EXAMPLE Bearer eyJhbGciOiJIUzI1NiJ9", "hf_*** nvapi-*** AKIA*** Bearer eyJ***")
	f(`"user_id":"user_3CmwsCmGIMCVSaGO0fmSdaQuZf8"`, `"user_id":"user_***"`)
	f("https://console.x.ai/team/481c7584-ab46-4974-b86b-a4978384e229.", "https://console.x.ai/team/***.")
	f("at https://contoso-east.openai.azure.com/openai/deployments/gpt", "at https://***.openai.azure.com/openai/deployments/gpt")
	f("/subscriptions/481c7584-ab46-4974-b86b-a4978384e229/resourceGroups/contoso/providers/x",
		"/subscriptions/***/resourceGroups/***/providers/x")
	f("Publisher Model `projects/contoso-1/locations/us-east5/publishers/anthropic/models/claude`",
		"Publisher Model `projects/***/locations/us-east5/publishers/anthropic/models/claude`")
	f("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude",
		"arn:aws:bedrock:us-east-1:***:inference-profile/us.anthropic.claude")
	for _, same := range []string{
		"request req_011CSHoEeqs5C35K2UUqR7Fy and resp_0123456789",
		"accounts/fireworks/models/x, openai.azure.com, 123456789012, a:12345:b, projects / x, eyJ",
		"team-based, user_name, user-provided, org-level, task-oriented, sk-5, key_value",
		"3f2504e0-4f89-41d3-9a0c-0305e82c330g caf\u00e9 \\",
	} {
		f(same, same)
	}
}
