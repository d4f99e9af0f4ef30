package io.sirocco.engine;

import io.sirocco.model.Pooling;
import io.sirocco.template.RenderedPrompt;
import io.sirocco.tokenizer.Encoding;
import io.sirocco.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads a row's prompt: tokens as they are, texts and conversations tokenized. */
final class TextReader {
  private final Tokenizer tokenizer;
  private final EngineOptions options;
  private final Conversations chats;
  private final Optional<EmbedSettings> embedding;
  private final Prompts.Form form;

  /** {@code embedding}: where the task embeds. */
  TextReader(
      Tokenizer tokenizer,
      EngineOptions options,
      Conversations chats,
      Optional<EmbedSettings> embedding) {
    this.tokenizer = tokenizer;
    this.options = options;
    this.chats = chats;
    this.embedding = embedding;
    this.form = form(options.task());
  }

  private static Prompts.Form form(Task task) {
    if (task instanceof Task.Generate generate) {
      return generate.prompts().form();
    }
    return task instanceof Task.Score score ? score.prompts().form() : Prompts.Form.PLAIN;
  }

  Intake.Prompt read(RowInput input) throws RowRefusal {
    if (input instanceof RowInput.Tokens tokens) {
      return tokens(tokens);
    }
    if (input instanceof RowInput.Chat chat) {
      return chat(chats.ofMessages(chat.messages()));
    }
    String text = ((RowInput.Text) input).text();
    if (text.isBlank()) {
      throw new RowRefusal(RowErrorCode.EMPTY_TEXT, "the text is empty or white space");
    }
    return form == Prompts.Form.CHAT ? chat(chats.ofText(text)) : text(text);
  }

  /** Whether a row's answer depends on the hidden states of all its tokens. */
  boolean poolsEveryToken() {
    return embedding.map(settings -> settings.form().pooling() == Pooling.MEAN).orElse(false);
  }

  private Intake.Prompt text(String text) throws RowRefusal {
    refuseEarly(tokenizer.minimumTokens(text));
    try {
      Encoding encoding =
          embedding
              .map(settings -> settings.encoding(tokenizer, text))
              .orElseGet(() -> tokenizer.encode(text));
      return scores()
          ? new Intake.Prompt(
              withoutSuffix(encoding), Optional.empty(), tokenizer.continuations(text)::ids)
          : new Intake.Prompt(encoding, Optional.empty(), this::literalIds);
    } catch (RuntimeException e) {
      throw tokenizerError(e);
    }
  }

  private boolean scores() {
    return options.task() instanceof Task.Score;
  }

  /** What is behind the text comes behind the label, where there is one. */
  private static Encoding withoutSuffix(Encoding encoding) {
    int[] ids = Arrays.copyOf(encoding.ids(), encoding.length() - encoding.suffix());
    return new Encoding(ids, encoding.prefix(), 0);
  }

  private Intake.Prompt chat(RenderedPrompt prompt) throws RowRefusal {
    refuseEarly(tokenizer.minimumPromptTokens(prompt.text()));
    try {
      BitSet fromData = prompt.fromData();
      Encoding encoding = new Encoding(tokenizer.encodePrompt(prompt.text(), fromData), 0, 0);
      return new Intake.Prompt(
          encoding,
          Optional.empty(),
          scores() ? tokenizer.continuations(prompt.text(), fromData)::ids : this::literalIds);
    } catch (RuntimeException e) {
      throw tokenizerError(e);
    }
  }

  /** A huge text is not tokenized only to be refused. */
  private void refuseEarly(int atLeast) throws RowRefusal {
    if (options.overLength() == OverLength.ERROR && atLeast > options.maxTokens()) {
      throw RowRefusal.tooLong("at least " + atLeast, options);
    }
  }

  private Intake.Prompt tokens(RowInput.Tokens tokens) throws RowRefusal {
    int count = tokens.ids().length;
    if (count == 0) {
      throw new RowRefusal(
          RowErrorCode.EMPTY_TOKENS, "the token array has no element", OptionalInt.of(0));
    }
    Optional<String> maskProblem = tokens.attentionMask().flatMap(mask -> problemOf(mask, count));
    if (maskProblem.isPresent()) {
      throw new RowRefusal(
          RowErrorCode.BAD_ATTENTION_MASK, maskProblem.get(), OptionalInt.of(count));
    }
    return new Intake.Prompt(
        new Encoding(tokens.ids(), 0, 0), tokens.attentionMask(), this::literalIds);
  }

  private int[] literalIds(String text) {
    BitSet all = new BitSet();
    all.set(0, text.length());
    return tokenizer.encodePrompt(text, all);
  }

  private static Optional<String> problemOf(int[] mask, int tokens) {
    if (mask.length != tokens) {
      return Optional.of(tokens + " tokens, but a mask of " + mask.length);
    }
    for (int position = 0; position < mask.length; position++) {
      if (mask[position] != 0 && mask[position] != 1) {
        return Optional.of(
            "the mask holds "
                + mask[position]
                + " at position "
                + position
                + "; 0 and 1 are legal");
      }
    }
    return Optional.empty();
  }

  private static RowRefusal tokenizerError(RuntimeException e) {
    return new RowRefusal(
        RowErrorCode.TOKENIZER_ERROR, e.getMessage() == null ? e.toString() : e.getMessage());
  }
}
