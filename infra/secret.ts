/** Set with `sst secret set OpenAIApiKey <value>`; linked to the functions that call OpenAI and to no other. */
export const openaiApiKey = new sst.Secret("OpenAIApiKey");
