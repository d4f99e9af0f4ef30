package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Folders that say something else than can be done are refused, with the file's own words. */
class RefusedSentenceTransformerTest extends SentenceTransformerFolder {
  @Test
  void inspectionTellsWhatAJobWouldBeRefusedFor() throws Exception {
    e5();
    assertThat(Inspection.of(folder).problems()).isEmpty();
    modules("Transformer", "Pooling", "Dense");
    assertThat(Inspection.of(folder).problems()).anyMatch(problem -> problem.contains("Dense"));
    e5();
    write("sentence_bert_config.json", "{\"do_lower_case\": true}");
    assertThat(Inspection.of(folder).problems())
        .anyMatch(problem -> problem.contains("do_lower_case"));
  }

  @Test
  void whatIsNotSupportedIsRefusedByName() throws Exception {
    modules("Transformer", "Pooling", "Dense");
    refused(EmbedModel.task(), "modules.json", "sentence_transformers.models.Dense");
    modules("Pooling", "Transformer");
    refused(EmbedModel.task(), "has the module Pooling in ''");
    for (String list : List.of("Transformer", "Transformer, Pooling, Normalize, Normalize")) {
      modules(list.split(", "));
      refused(EmbedModel.task(), "has the modules " + list + ", expected Transformer, Pooling");
    }
    typed("sentence_transformers.models.Transformer", "somebodys_own.Pooling");
    refused(EmbedModel.task(), "has the module somebodys_own.Pooling, which is not supported");
    modules("Transformer", "Pooling");
    for (String mode : List.of("cls_token", "max_tokens", "weightedmean_tokens")) {
      pooling("{\"pooling_mode_%s\": true}".formatted(mode));
      refused(
          EmbedModel.task(),
          "1_Pooling/config.json",
          "pools by " + mode.replace("_tokens", ""),
          "embed.pooling");
      assertThat(settings(EmbedModel.task(PoolingChoice.MEAN))).contains("pooling: mean (the job)");
    }
    pooling("{\"pooling_mode_mean_tokens\": true, \"pooling_mode_lasttoken\": true}");
    refused(EmbedModel.task(), "pools by mean and lasttoken");
    pooling("{\"pooling_mode_mean_tokens\": true, \"include_prompt\": false}");
    refused(prompted(EmbedPrompt.instruction("find")), "include_prompt is false");
    assertThat(settings(EmbedModel.task())).contains("pooling: mean (the model's folder)");
    write("sentence_bert_config.json", "{\"do_lower_case\": true}");
    refused(EmbedModel.task(), "do_lower_case is true");
  }

  @Test
  void damagedFilesAreRefused() throws Exception {
    write("modules.json", "{}");
    refused(EmbedModel.task(), "modules.json", "is not a JSON array");
    write("modules.json", "[7, null, {\"type\": [], \"path\": {}}]");
    refused(EmbedModel.task(), "has the module");
    write(
        "modules.json",
        "[{\"type\": \"sentence_transformers.models.Pooling\", \"path\": \"../elsewhere\"}]");
    refused(EmbedModel.task(), "'../elsewhere', expected '1_Pooling'");
    modules("Transformer", "Pooling");
    refused(EmbedModel.task(), "1_Pooling/config.json: is missing, but modules.json has");
    assertThat(settings(EmbedModel.task(PoolingChoice.MEAN))).contains("pooling: mean (the job)");
    e5();
    refused(prompted(EmbedPrompt.named("nowhere")), "no prompt nowhere; it has other, query");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"a\": 7}, \"default_prompt_name\": \"a\"}");
    refused(EmbedModel.task(), "a is 7, expected a string");
    write("config_sentence_transformers.json", "{\"default_prompt_name\": \"b\"}");
    refused(EmbedModel.task(), "no prompt b; it has none");
  }

  @Test
  void anEndingThatNobodyNamesIsRefused() throws Exception {
    tokenizerConfig("\"add_eos_token\": true");
    assertThat(settings(EmbedModel.task())).contains("append-eos: true (the model's folder)");
    String config = Files.readString(folder.resolve("config.json"));
    Files.writeString(
        folder.resolve("config.json"),
        config.replace("\"eos_token_id\": 2", "\"eos_token_id\": null"));
    refused(EmbedModel.task(), "embed.append-eos", "names no end-of-sequence token");
  }

  @Test
  void anEndingThatTokenizerOrModelDoNotHaveIsRefused() throws Exception {
    String config = Files.readString(folder.resolve("config.json"));
    // config.json has another one, which is not meant.
    for (String named : List.of("\"<end>\"", "{\"content\": \"<end>\"}", "7777777")) {
      tokenizerConfig("\"add_eos_token\": true, \"eos_token\": " + named);
      refused(EmbedModel.task(), "embed.append-eos", "which is no token of the tokenizer");
    }
    for (String none : List.of("null", "{\"content\": null}", "\"\"")) {
      tokenizerConfig("\"add_eos_token\": true, \"eos_token\": " + none);
      assertThat(settings(EmbedModel.task())).contains("append-eos: true (the model's folder)");
    }
    for (int id : List.of(2048, -1)) {
      write("config.json", config.replace("\"eos_token_id\": 2", "\"eos_token_id\": " + id));
      refused(EmbedModel.task(), "token of the model's folder is " + id, "knows 0 to 2047");
    }
    Task.Embed never =
        new Task.Embed(PoolingChoice.AUTO, Toggle.AUTO, 0, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(settings(never)).contains("append-eos: false (the job)");
  }
}
