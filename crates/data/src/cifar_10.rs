//! CIFAR-10: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, 2009. Its author
//! names no licence and asks to cite the report.

use crate::archive::{Archive, Member};
use crate::cifar::Cifar;
use crate::dataset::RemoteFile;

pub(crate) static CIFAR_10: Cifar = Cifar {
    name: "cifar-10",
    about: "CIFAR-10, colour pictures, 32x32, 10 classes (asks to be cited)",
    classes: 10,
    train_samples: 50_000,
    test_samples: 10_000,
    labels: 1,
    file: [RemoteFile {
        name: "cifar-10-binary.tar.gz",
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        addresses: &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    }],
    archive: Archive {
        folder: "cifar-10-batches-bin",
        members: &[
            Member {
                name: "data_batch_1.bin",
                bytes: 30_730_000,
                sha256: "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            },
            Member {
                name: "data_batch_2.bin",
                bytes: 30_730_000,
                sha256: "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            },
            Member {
                name: "data_batch_3.bin",
                bytes: 30_730_000,
                sha256: "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            },
            Member {
                name: "data_batch_4.bin",
                bytes: 30_730_000,
                sha256: "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            },
            Member {
                name: "data_batch_5.bin",
                bytes: 30_730_000,
                sha256: "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
            },
            Member {
                name: "test_batch.bin",
                bytes: 30_730_000,
                sha256: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
            },
        ],
    },
};
