package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.tokenizer.convert.SentencePieceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sample writer as a folder that has tokenizer.model instead of tokenizer.json. */
class RawTokenizerTest {
  private static final Path WRITER = WriterModel.SAMPLES.resolve("ticket-writer");

  /** In front of the pieces of text: the unknown one, two control tokens and 256 bytes. */
  private static final int FIRST_PIECE = 259;

  @TempDir private Path folder;

  @Test
  void anEngineMakesTheTokenizerAndTheChatTemplateItself() throws Exception {
    writeModel();
    RowRequest row = WriterModel.chat(WriterModel.lines("chats.jsonl").get(1));
    try (Engine engine = Engine.open(options(folder))) {
      assertThat(engine.plan().notes())
          .contains("the tokenizer is made of tokenizer.model")
          .anyMatch(note -> note.startsWith("chat template of generation v1, written by Sirocco"));
      RowOutcome.Generated answer = (RowOutcome.Generated) engine.submit(row).get();
      assertThat(answer.samples().get(0).text()).isEqualTo("praise");
    }
  }

  @Test
  void theTemplateOfTheFolderIsTakenWhereThereIsOne() throws IOException {
    writeModel();
    Files.copy(WRITER.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
    assertThat(Engine.plan(options(folder)).notes())
        .anyMatch(note -> note.startsWith("the tokenizer is made of"))
        .noneMatch(note -> note.startsWith("chat template"));
  }

  @Test
  void theFingerprintDependsOnTheFileThatIsRead() throws IOException {
    writeModel();
    String before = Checkpoint.open(folder).fingerprint();
    Files.write(folder.resolve("tokenizer.model"), new byte[] {0});
    String after = Checkpoint.open(folder).fingerprint();
    assertThat(after).isNotEqualTo(before);
    assertThatThrownBy(() -> Engine.plan(options(folder)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("tokenizer.model: is no SentencePiece model");
    Files.copy(WRITER.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    String whole = Checkpoint.open(folder).fingerprint();
    Files.delete(folder.resolve("tokenizer.model"));
    assertThat(Checkpoint.open(folder).fingerprint()).isEqualTo(whole);
  }

  private static EngineOptions options(Path model) {
    return WriterModel.options(model, WriterModel.writing(WriterModel.greedy(8)));
  }

  /** Config, weights, and the sample's own vocabulary as SentencePiece has it. */
  private void writeModel() throws IOException {
    for (String file : List.of("config.json", "generation_config.json", "model.safetensors")) {
      Files.copy(WRITER.resolve(file), folder.resolve(file));
    }
    JsonNode json = WriterModel.JSON.readTree(WRITER.resolve("tokenizer.json").toFile());
    TreeMap<Integer, String> pieces = new TreeMap<>();
    json.path("model")
        .path("vocab")
        .fields()
        .forEachRemaining(entry -> pieces.put(entry.getValue().asInt(), entry.getKey()));
    String[] texts = pieces.tailMap(FIRST_PIECE).values().toArray(new String[0]);
    byte[] model = new SentencePieceFile().bytePieces().pieces(texts).bytes();
    Files.write(folder.resolve("tokenizer.model"), model);
  }
}
