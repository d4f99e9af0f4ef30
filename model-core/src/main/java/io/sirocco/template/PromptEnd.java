package io.sirocco.template;

/** How a prompt ends. */
public enum PromptEnd {
  /** As the template ends the last message; {@code add_generation_prompt} is false. */
  LAST_MESSAGE,
  /** With the beginning of an answer, if the template has one; Mistral's have none. */
  GENERATION_PROMPT,
  /** Within the last message, which is left open to be continued. */
  CONTINUE_FINAL_MESSAGE
}
