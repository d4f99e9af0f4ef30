package io.sirocco.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  @TempDir private Path folder;

  @Test
  void onlyAFolderThatOthersCannotWriteIsPrivate() throws IOException {
    Path open = Files.createDirectory(folder.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(NativeLibrary.isPrivate(open)).isFalse();
    assertThat(NativeLibrary.isPrivate(folder)).isTrue();
    assertThat(NativeLibrary.isPrivate(folder.resolve("absent"))).isFalse();
    assertThat(NativeLibrary.isPrivate(Path.of("?"))).isFalse();
  }

  @Test
  void theLibraryStaysOffTheNetworkUnlessTheUserDecidedOtherwise() {
    String before = System.getProperty("ai.djl.offline", "true");
    try {
      System.clearProperty("ai.djl.offline");
      NativeLibrary.stayOffline();
      assertThat(System.getProperty("ai.djl.offline")).isEqualTo("true");
      System.setProperty("ai.djl.offline", "false");
      NativeLibrary.stayOffline();
      assertThat(System.getProperty("ai.djl.offline")).isEqualTo("false");
    } finally {
      System.setProperty("ai.djl.offline", before);
    }
  }
}
