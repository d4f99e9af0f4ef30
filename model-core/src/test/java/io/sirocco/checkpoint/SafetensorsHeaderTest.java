package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsHeaderTest {
  private static final String GOOD = "'t':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}";

  @TempDir Path folder;

  private WeightFile read(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("t.safetensors"), bytes);
    try (FileChannel channel = FileChannel.open(file)) {
      return SafetensorsHeader.read(file, channel);
    }
  }

  private WeightFile read(String header, int dataBytes) throws IOException {
    return read(file(header, header.length(), dataBytes));
  }

  private static byte[] file(String header, long length, int dataBytes) {
    byte[] text = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + text.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(text)
        .array();
  }

  private void refused(String header, int dataBytes, String... words) {
    assertThatExceptionOfType(ModelException.class)
        .as(header)
        .isThrownBy(() -> read(header, dataBytes))
        .withMessageContaining("t.safetensors")
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }

  @Test
  void entriesComeInTheOrderOfTheirBytes() throws IOException {
    WeightFile header =
        read(
            "{'b':{'dtype':'U8','shape':[],'data_offsets':[8,9]},'__metadata__':{'x':'y'},"
                + GOOD
                + "}   ",
            9);
    assertThat(header.entries()).extracting(WeightFile.Entry::name).containsExactly("t", "b");
    long dataStart = header.fileSize() - 9;
    assertThat(header.entries().get(1).offset()).isEqualTo(dataStart + 8);
    assertThat(header.entries().get(1).size()).isEqualTo(1);
  }

  @Test
  void emptyTensorsMayStandAnywhere() throws IOException {
    String empty = "'%s':{'dtype':'F32','shape':[0,3],'data_offsets':[%d,%d]}";
    String header =
        "{" + empty.formatted("e", 0, 0) + "," + GOOD + "," + empty.formatted("f", 8, 8) + "}";
    assertThat(read(header, 8).entries()).hasSize(3);
    assertThat(read("{}", 0).entries()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, 1L << 24, 100, 59})
  void lengthBeyondTheFileIsRefused(long length) {
    String header = "{" + GOOD + "}";
    byte[] bytes = file(header, length, 0);
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> read(bytes))
        .withMessageContaining("header length " + Long.toUnsignedString(length));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void filesTooShortForTheLengthAreRefused(int size) {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> read(new byte[size]))
        .withMessageContaining("holds " + size + " bytes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "'dtype':'F7','shape':[2],'data_offsets':[0,8]      | dtype F7",
        "'dtype':5,'shape':[2],'data_offsets':[0,8]         | expected an object with dtype",
        "'shape':[2],'data_offsets':[0,8]                   | expected an object with dtype",
        "'dtype':'F32','shape':2,'data_offsets':[0,8]       | expected an object with dtype",
        "'dtype':'F32','shape':[2]                          | expected an object with dtype",
        "'dtype':'F32','shape':[2],'data_offsets':[0,8,8]   | 3 entries",
        "'dtype':'F32','shape':[2],'data_offsets':[8]       | 1 entries",
        "'dtype':'F32','shape':[2.0],'data_offsets':[0,8]   | shape holds 2.0",
        "'dtype':'F32','shape':[-2],'data_offsets':[0,8]    | shape holds -2",
        "'dtype':'F32','shape':['2'],'data_offsets':[0,8]   | shape holds",
        "'dtype':'F32','shape':[2],'data_offsets':[-8,0]    | data_offsets holds -8",
        "'dtype':'F32','shape':[2],'data_offsets':[8,0]     | not within",
        "'dtype':'F32','shape':[4],'data_offsets':[0,16]    | not within",
        "'dtype':'F32','shape':[2],'data_offsets':[0,18446744073709551624] | data_offsets holds",
        "'dtype':'F32','shape':[3],'data_offsets':[0,8]     | imply 12 bytes",
        "'dtype':'BF16','shape':[2],'data_offsets':[0,8]    | imply 4 bytes",
        "'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,8] | more elements",
        "'dtype':'F32','shape':[4611686018427387904],'data_offsets':[0,0] | more elements",
        "'dtype':'F32','shape':[1],'data_offsets':[4,8]     | begins at byte",
        "'dtype':'F32','shape':[1],'data_offsets':[0,4]     | 4 bytes follow"
      })
  void entriesThatCannotBeAreRefused(String entry, String words) {
    refused("{'t':{" + entry + "}}", 8, words);
  }

  @Test
  void overlapsAndDuplicatesAreRefused() {
    refused("{" + GOOD + "," + GOOD.replace("'t'", "'u'") + "}", 8, "begins at byte");
    refused("{" + GOOD + "," + GOOD + "}", 8, "not valid JSON", "Duplicate");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "5", "{", "{}{}", "nul", "{'t':[]}", "{'t':null}"})
  void headersOtherThanObjectsAreRefused(String header) {
    refused(header, 0, "t.safetensors: ");
  }

  @Test
  void deepNestingIsRefused() {
    refused("{'t':" + "[".repeat(20000) + "]".repeat(20000) + "}", 0, "not valid JSON");
  }
}
