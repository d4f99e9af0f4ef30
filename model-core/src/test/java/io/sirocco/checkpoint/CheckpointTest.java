package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
  @TempDir Path folder;

  private static SafetensorsFile one(String name) {
    return new SafetensorsFile().with(name, ElementType.F32, new float[] {1, 2, 3, 4}, 2, 2);
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  private void refused(String... words) {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Checkpoint.open(folder))
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }

  @Test
  void tensorsComeBackWithNameTypeShapeAndValues() {
    Checkpoint checkpoint =
        new SafetensorsFile()
            .with("model.norm.weight", ElementType.BF16, new float[] {1, -2, 0.5f}, 3)
            .with("lm_head.weight", ElementType.F16, new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
            .open(folder, "{'a': 1}".replace('\'', '"'));
    assertThat(checkpoint.names()).containsExactlyInAnyOrder("model.norm.weight", "lm_head.weight");
    assertThat(checkpoint.bytes()).isEqualTo(3 * 2 + 6 * 2);
    assertThat(checkpoint.config().path("a").asInt()).isEqualTo(1);
    assertThat(checkpoint.folder()).isEqualTo(folder);
    assertThat(checkpoint.files()).endsWith("model.safetensors");
    Tensor head = checkpoint.require("lm_head.weight", 2, 3);
    assertThat(head.name()).isEqualTo("lm_head.weight");
    assertThat(head.type()).isEqualTo(ElementType.F16);
    assertThat(head.bytes()).isEqualTo(12);
    float[] row = new float[3];
    head.readRow(1, row);
    assertThat(row).containsExactly(4, 5, 6);
    Tensor norm = checkpoint.require("model.norm.weight", 3);
    assertThat(norm.columns()).isEqualTo(1);
    norm.readRow(1, row);
    assertThat(row[0]).isEqualTo(-2);
  }

  @Test
  void missingAndMisshapenTensorsAreNamed() {
    Checkpoint checkpoint = one("lm_head.weight").open(folder, "{}");
    assertThat(checkpoint.find("score.weight")).isEmpty();
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> checkpoint.require("score.weight", 2, 4))
        .withMessageContaining("model.safetensors: tensor score.weight is missing")
        .withMessageContaining("[2, 4]");
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> checkpoint.require("lm_head.weight", 4, 2))
        .withMessage(
            "model.safetensors: tensor lm_head.weight has shape [2, 2],"
                + " config.json implies [4, 2]");
  }

  /** Each of them looked for among all would take minutes. */
  @Test
  void manyTensorsOfAnIndexAreFoundAtOnce() throws IOException {
    SafetensorsFile file = new SafetensorsFile();
    StringBuilder index = new StringBuilder("{\"weight_map\":{\"t0\":\"a.safetensors\"");
    for (int i = 0; i < 150_000; i++) {
      file.withBytes("t" + i, "U8", ByteBuffer.allocate(0), 0);
      index.append(i == 0 ? "" : ",\"t" + i + "\":\"a.safetensors\"");
    }
    file.write(folder.resolve("a.safetensors"));
    write("config.json", "{}");
    write("model.safetensors.index.json", index + "}}");

    assertTimeoutPreemptively(
        Duration.ofSeconds(20), () -> assertThat(Checkpoint.open(folder).names()).hasSize(150_000));
  }

  @ParameterizedTest
  @ValueSource(strings = {"I32", "F64", "BOOL", "F8_E4M3"})
  void otherTypesAreRefusedWhenTheyAreNeeded(String type) {
    int bytes = type.equals("F64") ? 8 : type.equals("I32") ? 4 : 1;
    Checkpoint checkpoint =
        one("lm_head.weight")
            .withBytes("unused", type, ByteBuffer.allocate(2 * bytes), 2)
            .open(folder, "{}");
    assertThat(checkpoint.find("lm_head.weight")).isPresent();
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> checkpoint.find("unused"))
        .withMessageContaining("tensor unused: has dtype " + type);
  }

  @Test
  void otherRanksAreRefusedWhenTheyAreNeeded() {
    Checkpoint checkpoint =
        new SafetensorsFile()
            .with("scalar", ElementType.F32, new float[1])
            .with("cube", ElementType.F32, new float[8], 2, 2, 2)
            .with("none", ElementType.F32, new float[0], 0, 4)
            .open(folder, "{}");
    for (String name : checkpoint.names()) {
      assertThatExceptionOfType(ModelException.class)
          .isThrownBy(() -> checkpoint.find(name))
          .withMessageContaining("tensor " + name);
    }
    assertThat(checkpoint.names()).hasSize(3);
  }

  @Test
  void modelsWithoutPrefixGetIt() {
    Checkpoint checkpoint =
        one("embed_tokens.weight")
            .with("norm.weight", ElementType.F32, new float[2], 2)
            .with("layers.0.mlp.up_proj.weight", ElementType.F32, new float[2], 2)
            .with("score.weight", ElementType.F32, new float[2], 2)
            .open(folder, "{}");
    assertThat(checkpoint.names())
        .containsExactlyInAnyOrder(
            "model.embed_tokens.weight",
            "model.norm.weight",
            "model.layers.0.mlp.up_proj.weight",
            "score.weight");
  }

  @Test
  void headsLoseThePrefix() {
    Checkpoint checkpoint = one("model.lm_head.weight").open(folder, "{}");
    assertThat(checkpoint.names()).containsExactly("lm_head.weight");
  }

  @Test
  void nameThatIsThereWithAndWithoutPrefixIsRefused() {
    SafetensorsFile file =
        one("norm.weight").with("model.norm.weight", ElementType.F32, new float[2], 2);
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> file.open(folder, "{}"))
        .withMessageContaining("twice, as model.norm.weight");
  }

  @Test
  void unusedTensorsAreListedButForLeftovers() {
    Checkpoint checkpoint =
        one("lm_head.weight")
            .with("vision.weight", ElementType.F32, new float[2], 2)
            .with("model.layers.0.self_attn.rotary_emb.inv_freq", ElementType.F32, new float[2], 2)
            .open(folder, "{}");
    assertThat(checkpoint.find("lm_head.weight")).isPresent();
    assertThat(checkpoint.ignored()).containsExactly("vision.weight");
  }

  @Test
  void shardsAreReadThroughTheIndex() throws IOException {
    write("config.json", "{}");
    one("lm_head.weight")
        .with("not.indexed", ElementType.F32, new float[2], 2)
        .write(folder.resolve("a.safetensors"));
    one("norm.weight").write(folder.resolve("b.safetensors"));
    index("'lm_head.weight': 'a.safetensors', 'norm.weight': 'b.safetensors'");
    Checkpoint checkpoint = Checkpoint.open(folder);
    assertThat(checkpoint.names()).containsExactlyInAnyOrder("lm_head.weight", "model.norm.weight");
    assertThat(checkpoint.require("model.norm.weight", 2, 2).rows()).isEqualTo(2);
    assertThat(checkpoint.files()).endsWith("model.safetensors.index.json");
    one("score.weight").write(folder.resolve("model.safetensors"));
    assertThat(Checkpoint.open(folder).names()).containsExactly("score.weight");
  }

  private void index(String weightMap) throws IOException {
    write(
        "model.safetensors.index.json",
        ("{'metadata': {}, 'weight_map': {" + weightMap + "}}").replace('\'', '"'));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'../a.safetensors'",
        "'/etc/passwd'",
        "'sub/a.safetensors'",
        "'..'",
        "'.'",
        "''",
        "'a b'",
        "'..\\\\a.safetensors'",
        "'c:a.safetensors'",
        "5",
        "null",
        "['a.safetensors']",
        "'absent.safetensors'",
        "'a.safetensors\\u0000'"
      })
  void placesOutsideTheFolderAreRefused(String place) throws IOException {
    write("config.json", "{}");
    one("lm_head.weight").write(folder.resolve("a.safetensors"));
    index("'lm_head.weight': " + place);
    refused("model.safetensors.index.json: tensor lm_head.weight", "is placed in");
  }

  @Test
  void indexAndShardsMustAgree() throws IOException {
    write("config.json", "{}");
    one("lm_head.weight").write(folder.resolve("a.safetensors"));
    index("'lm_head.weight': 'a.safetensors', 'other': 'a.safetensors'");
    refused("tensor other", "which lacks it");
    write("model.safetensors.index.json", "{\"weight_map\": []}");
    refused("model.safetensors.index.json", "weight_map");
    write("model.safetensors.index.json", "{}");
    refused("model.safetensors.index.json", "weight_map");
    index("'lm_head.weight': 'a.safetensors', 'lm_head.weight': 'a.safetensors'");
    refused("model.safetensors.index.json", "not valid JSON");
  }

  @Test
  void linkedFilesOfTheHubsCacheAreFollowed() throws IOException {
    Path blobs = Files.createDirectories(folder.resolve("blobs"));
    Path snapshot = Files.createDirectories(folder.resolve("snapshot"));
    one("lm_head.weight").write(blobs.resolve("abc"));
    Files.writeString(snapshot.resolve("config.json"), "{}");
    Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../blobs/abc"));
    assertThat(Checkpoint.open(snapshot).require("lm_head.weight", 2, 2).rows()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pytorch_model-00001-of-00002.bin",
        "consolidated.00.pth",
        "consolidated.safetensors",
        "weights.pth"
      })
  void otherFormatsAreRefusedByNameAndNotExecuted(String name) throws IOException {
    Path trace = folder.resolve("executed");
    // What pickle.loads would run as os.system("touch .../executed").
    String pickle = "cposix\nsystem\n(S'touch " + trace + "'\ntR.";
    write(name, pickle);
    refused(name, "nothing in it was executed", "model.safetensors");
    write("config.json", "{}");
    refused(name, "nothing in it was executed", "model.safetensors");
    assertThat(trace).doesNotExist();
  }

  @Test
  void foldersWithoutModelAreRefused() throws IOException {
    refused("config.json", "is missing");
    write("config.json", "{}");
    refused("holds no weights", "model.safetensors");
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Checkpoint.open(folder.resolve("config.json")))
        .withMessageContaining("is not a folder");
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Checkpoint.open(folder.resolve("absent")))
        .withMessageContaining("is not a folder");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "null", "{", "{} {}", "{\"a\": 1, \"a\": 2}", "{\"a\": NaN}"})
  void configMustBeOneObject(String text) throws IOException {
    one("lm_head.weight").write(folder.resolve("model.safetensors"));
    write("config.json", text);
    refused("config.json");
  }

  @Test
  void fingerprintFollowsTemplatesAndDefaultsOfGeneration() throws IOException {
    List<String> seen = new ArrayList<>();
    seen.add(one("lm_head.weight").open(folder, "{}").fingerprint());
    Files.createDirectory(folder.resolve("additional_chat_templates"));
    for (String name :
        List.of(
            "generation_config.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "additional_chat_templates/tool_use.jinja")) {
      write(name, "{}");
      seen.add(Checkpoint.open(folder).fingerprint());
      write(name, "{ }");
      seen.add(Checkpoint.open(folder).fingerprint());
    }
    assertThat(seen).doesNotHaveDuplicates();
  }

  @Test
  void fingerprintFollowsWeightsConfigAndTokenizer() throws IOException {
    String first = one("lm_head.weight").open(folder, "{}").fingerprint();
    assertThat(first).matches("[0-9a-f]{64}");
    assertThat(Checkpoint.open(folder).fingerprint()).isEqualTo(first);
    write("config.json", "{ }");
    String otherConfig = Checkpoint.open(folder).fingerprint();
    write("tokenizer.json", "{}");
    String withTokenizer = Checkpoint.open(folder).fingerprint();
    write("tokenizer.json", "{ }");
    String otherTokenizer = Checkpoint.open(folder).fingerprint();
    float[] changed = {1, 2, 3, Math.nextUp(4f)};
    String otherWeight =
        new SafetensorsFile()
            .with("lm_head.weight", ElementType.F32, changed, 2, 2)
            .open(folder, "{ }")
            .fingerprint();
    String otherName = one("score.weight").open(folder, "{ }").fingerprint();
    assertThat(List.of(first, otherConfig, withTokenizer, otherTokenizer, otherWeight, otherName))
        .doesNotHaveDuplicates();
    write("README.md", "nothing of the model");
    assertThat(Checkpoint.open(folder).fingerprint()).isEqualTo(otherName);
  }

  @Test
  void tensorAboveTwoGibibytesConsistsOfSeveralMappings() throws IOException {
    int rows = 1_200_000;
    int columns = 1000;
    long bytes = 2L * rows * columns;
    String header =
        "{'lm_head.weight':{'dtype':'BF16','shape':[%d,%d],'data_offsets':[0,%d]}}"
            .formatted(rows, columns, bytes)
            .replace('\'', '"');
    write("config.json", "{}");
    long start = (long) Long.BYTES + header.length();
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.writeLong(Long.reverseBytes(header.length()));
      file.write(header.getBytes(StandardCharsets.UTF_8));
      file.setLength(start + bytes); // sparse: takes no space on disk
      for (int row : new int[] {0, 1_073_000, 1_073_741, 1_073_742, rows - 1}) {
        file.seek(start + 2L * row * columns + 2L * (row % columns));
        file.writeShort(Short.reverseBytes((short) 0x3f80));
      }
    }
    Tensor tensor = Checkpoint.open(folder).require("lm_head.weight", rows, columns);
    assertThat(tensor.slabs()).hasSize(2);
    assertThat(tensor.slabs()).allSatisfy(slab -> assertThat(slab.remaining() % 2000).isZero());
    assertThat(tensor.bytes()).isEqualTo(bytes);
    float[] values = new float[columns];
    for (int row : new int[] {0, 1_073_000, 1_073_741, 1_073_742, rows - 1}) {
      tensor.readRow(row, values);
      assertThat(values[row % columns]).as("row %d", row).isEqualTo(1f);
    }
    tensor.readRow(1_073_743, values);
    assertThat(values).containsOnly(0f);
  }
}
