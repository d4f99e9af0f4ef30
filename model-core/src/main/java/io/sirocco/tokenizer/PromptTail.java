package io.sirocco.tokenizer;

/**
 * The end of an aliased prompt, from the last place where it can be cut: whatever is appended, its
 * ids are those of the head and then those of the rest.
 *
 * @param head what is cut off
 * @param context put in front of the rest when it is encoded: the control token that precedes it
 * @param rest what follows the head
 */
record PromptTail(String head, String context, String rest) {

  static PromptTail of(AliasedText prompt, WordSeams seams) {
    String text = prompt.text();
    int seam = seams.last(text, prompt.controlEnd());
    if (seam >= 0) {
      return new PromptTail(text.substring(0, seam), "", text.substring(seam));
    }
    // What follows a control token is a segment of its own.
    int end = prompt.controlEnd();
    String control = text.substring(prompt.controlStart(), end);
    return new PromptTail(text.substring(0, end), control, text.substring(end));
  }

  /** What stands for the tail of {@code joint}, an aliased text that starts with the head. */
  String encoded(String joint) {
    return context + joint.substring(head.length());
  }

  /** What stands for the tail of the prompt alone. */
  String encoded() {
    return context + rest;
  }
}
