package io.sirocco.tokenizer;

/** How the text of a special token (such as {@code </s>}) is read where it occurs inside a row. */
public enum SpecialTokenText {
  /** As plain text: what a row says can never act as a control token. */
  LITERAL,
  /** As the token itself, as Hugging Face tokenizers do. */
  PARSE
}
