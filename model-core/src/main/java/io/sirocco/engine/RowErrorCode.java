package io.sirocco.engine;

import java.util.Locale;

/** Why a row has no result. The codes are stable: users filter on them. */
public enum RowErrorCode {
  /** The text, or the template's result, is null. */
  NULL_TEXT,
  /** The text is empty or white space only. */
  EMPTY_TEXT,
  /** The conversation is null. */
  NULL_MESSAGES,
  /** The conversation is not a JSON array of objects with role and content. */
  BAD_MESSAGES,
  /** The chat template refused the conversation, or exceeded its limits. */
  TEMPLATE_ERROR,
  /** The row has no candidate labels, an empty one, or the same one twice. */
  BAD_LABELS,
  /** The token array is null or holds a null. */
  NULL_TOKENS,
  /** The token array has no element. */
  EMPTY_TOKENS,
  /** A token id is negative or not below the model's vocab_size. */
  TOKEN_OUT_OF_RANGE,
  /**
   * The attention mask is null, has another length than the tokens, or holds something but 0 and 1;
   * or it hides all tokens of a row to be embedded.
   */
  BAD_ATTENTION_MASK,
  /** The row names an adapter that there is not, or none where it needs one. */
  UNKNOWN_ADAPTER,
  /** More tokens than the job's limit. */
  TOO_LONG,
  /** The tokenizer refused the text. */
  TOKENIZER_ERROR,
  /** The model's logits, or its embedding, of this row are NaN or infinite. */
  NON_FINITE_LOGITS,
  /** No token can follow: some setting of generation forbids all of them. */
  NO_TOKEN,
  /** The row's keys and values alone need more memory than {@code generate.kv-memory}. */
  KV_MEMORY,
  /** The row needs more memory than the engine may take. */
  OUT_OF_MEMORY,
  /** The computation of this row failed, also alone. */
  ENGINE_ERROR;

  /** The name in results: lower case with hyphens, such as {@code too-long}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
