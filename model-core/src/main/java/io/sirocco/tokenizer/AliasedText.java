package io.sirocco.tokenizer;

/**
 * A text with aliases in it.
 *
 * @param text holds secrets; not to be shown
 * @param controlStart start of the last alias, 0 if there is none
 * @param controlEnd end of the last alias, 0 if there is none
 */
record AliasedText(String text, int controlStart, int controlEnd) {

  /** Without the text. */
  @Override
  public String toString() {
    return "AliasedText[" + text.length() + " characters]";
  }
}
