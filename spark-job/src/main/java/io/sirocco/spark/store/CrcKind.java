package io.sirocco.spark.store;

import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.apache.hadoop.util.CrcUtil;

/** The checksums that HDFS can keep, of 32 bits. */
enum CrcKind {
  CRC32("COMPOSITE-CRC32", CrcUtil.GZIP_POLYNOMIAL) {
    @Override
    Checksum start() {
      return new CRC32();
    }
  },
  CRC32C("COMPOSITE-CRC32C", CrcUtil.CASTAGNOLI_POLYNOMIAL) {
    @Override
    Checksum start() {
      return new CRC32C();
    }
  };

  private final String algorithm;
  private final int polynomial;

  CrcKind(String algorithm, int polynomial) {
    this.algorithm = algorithm;
    this.polynomial = polynomial;
  }

  /** As the file's own file system computes it; CRC32C where it computes something else. */
  static CrcKind of(ModelFile file) {
    return file.checksum().startsWith(CRC32.algorithm + ":") ? CRC32 : CRC32C;
  }

  abstract Checksum start();

  /**
   * The CRC of bytes with the CRC {@code first} before {@code length} bytes with {@code second}.
   */
  int join(int first, int second, long length) {
    return length == 0 ? first : CrcUtil.compose(first, second, length, polynomial);
  }

  /** As {@link ModelFile#checksum} spells a file's. */
  String spell(int crc) {
    return algorithm + ":" + HexFormat.of().toHexDigits(crc);
  }

  /** Whether {@code checksum} is one that {@link #spell} can give. */
  boolean computes(String checksum) {
    return checksum.startsWith(algorithm + ":");
  }
}
