package io.sirocco.engine;

import static io.sirocco.engine.EmbedModel.embedding;
import static io.sirocco.engine.EmbedModel.options;
import static io.sirocco.engine.EmbedModel.text;
import static io.sirocco.engine.EmbedModel.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.SpecialTokenText;
import io.sirocco.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of a text on its way to an embedding: prompt before it, ending behind, or cut. */
class EmbeddedTextTest extends SentenceTransformerFolder {
  /** As the model's card has it: cut to one less than the limit, then ended. */
  @Test
  void truncationLeavesTheEnding() throws Exception {
    e5();
    int[] all = ids(TICKET);
    EngineOptions right =
        options(folder, EmbedModel.task())
            .withMaxTokens(8)
            .withOverLength(OverLength.TRUNCATE_RIGHT);
    try (Engine engine = Engine.open(right)) {
      RowOutcome.Embedded cut = (RowOutcome.Embedded) engine.submit(text(TICKET)).get();
      assertThat(cut.truncated()).isTrue();
      assertThat(cut.tokenCount()).hasValue(all.length + 1);
      assertThat(cut.embedding())
          .isEqualTo(embedded(EmbedModel.task(), tokens(ended(Arrays.copyOf(all, 7)))));
    }
    EngineOptions fits = options(folder, EmbedModel.task()).withMaxTokens(all.length);
    try (Engine engine = Engine.open(fits)) {
      RowOutcome.Failed failed = (RowOutcome.Failed) engine.submit(text(TICKET)).get();
      assertThat(failed.code()).isEqualTo(RowErrorCode.TOO_LONG);
      assertThat(failed.tokenCount()).hasValue(all.length + 1);
    }
  }

  @Test
  void anEndingThatTheTokenizerAddsIsNotAddedTwice() throws Exception {
    float[] ended = embedded(EmbedModel.task(), tokens(ended(ids(TICKET))));
    String json = Files.readString(folder.resolve("tokenizer.json"));
    String single =
        "\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
            + "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}";
    String compact =
        json.replaceAll("(?s)\"single\"\\s*:\\s*\\[.*?\\{\\s*\"Sequence\".*?\\}\\s*\\}", single);
    String withEnd =
        compact
            .replace(single, single + ",{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}")
            .replaceFirst(
                "\"special_tokens\"\\s*:\\s*\\{",
                "\"special_tokens\":{\"</s>\":{\"id\":\"</s>\",\"ids\":[2],\"tokens\":[\"</s>\"]},");
    Files.writeString(folder.resolve("tokenizer.json"), withEnd);
    assertThat(ids(TICKET)).endsWith(EOS);
    for (Toggle append : Toggle.values()) {
      Task.Embed task =
          new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.none(), append);
      assertThat(embedded(task, text(TICKET))).as(append.name()).isEqualTo(ended);
    }
    assertThat(settings(EmbedModel.task())).contains("append-eos: true (the model's folder)");
    Task.Embed never =
        new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(Engine.plan(options(folder, never)).notes())
        .contains("the tokenizer itself puts </s> behind each text");
  }

  /** The tokenizer with which every control token's name counts is the oracle. */
  @Test
  void controlTokensOfAPromptAreTokensAndThoseOfARowAreText() throws Exception {
    e5();
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"query\": \"<s>find it</s>\"}, \"default_prompt_name\": \"query\"}");
    String row = "</s> is what I see<s>";
    int[] prompt;
    int[] instructed;
    try (Tokenizer parsing = Tokenizer.open(folder, SpecialTokenText.PARSE)) {
      prompt = parsing.encode("<s>find it</s>").ids();
      instructed = parsing.encode("Instruct: a</s>b\nQuery: " + TICKET).ids();
    }
    int[] literal = ids(row);
    int[] whole = joined(prompt, Arrays.copyOfRange(literal, 1, literal.length));
    assertThat(prompt).startsWith(1, 1).endsWith(EOS);
    EngineOptions shared =
        options(folder, EmbedModel.task()).withReuse(new Reuse(0, new Beginning.Text("")));
    for (EngineOptions options : List.of(options(folder, EmbedModel.task()), shared)) {
      assertThat(embedding(options, text(row)))
          .isEqualTo(embedded(EmbedModel.task(), tokens(ended(whole))));
    }
    assertThat(embedded(prompted(EmbedPrompt.instruction("a</s>b")), text(TICKET)))
        .isEqualTo(embedded(EmbedModel.task(), tokens(ended(instructed))));
  }

  @Test
  void aPromptIsNeverCutOff() throws Exception {
    e5();
    Task.Embed query = prompted(EmbedPrompt.named("query"));
    for (Task.Embed task : List.of(query, prompted(EmbedPrompt.instruction("find it")))) {
      assertThatThrownBy(
              () ->
                  Engine.plan(
                      options(folder, task)
                          .withMaxTokens(8)
                          .withOverLength(OverLength.TRUNCATE_LEFT)))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("model.over-length: is truncate-left");
    }
    EngineOptions left =
        options(folder, EmbedModel.task())
            .withMaxTokens(8)
            .withOverLength(OverLength.TRUNCATE_LEFT);
    int[] all = ids(TICKET);
    int[] last = Arrays.copyOfRange(all, all.length - 6, all.length);
    assertThat(embedding(left, text(TICKET)))
        .isEqualTo(embedded(EmbedModel.task(), tokens(ended(joined(new int[] {1}, last)))));
  }

  /** Not even what is wrong with the folder's settings of texts matters. */
  @Test
  void rowsOfTokensHaveNoSettingsOfTexts() throws Exception {
    e5();
    write("sentence_bert_config.json", "{\"max_seq_length\": [], \"do_lower_case\": true}");
    write("config_sentence_transformers.json", "{\"default_prompt_name\": \"nowhere\"}");
    tokenizerConfig("\"add_eos_token\": true, \"eos_token\": \"<nothing>\"");
    Task.Embed task =
        new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.ofTokens(), Toggle.FALSE);
    EnginePlan plan =
        Engine.plan(
            options(folder, task).withMaxTokens(8).withOverLength(OverLength.TRUNCATE_LEFT));
    assertThat(plan.settings().stream().map(Object::toString))
        .contains("prompt: '' (the job)", "append-eos: false (the job)")
        .contains("pooling: last (the model's folder)");
    assertThat(plan.notes()).noneMatch(note -> note.contains("texts"));
    assertThatThrownBy(
            () ->
                new Task.Embed(
                    PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.ofTokens(), Toggle.TRUE))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
