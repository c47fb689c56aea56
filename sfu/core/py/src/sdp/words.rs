//! The words of RFC 8866 and its kin for the values of Mozilla's reader.

use webrtc_sdp::attribute_type::{
    SdpAttributeDirection, SdpAttributeSetup, SdpSingleDirection, SdpSsrcGroupSemantic,
};

pub(super) fn setup_word(setup: &SdpAttributeSetup) -> &'static str {
    match setup {
        SdpAttributeSetup::Active => "active",
        SdpAttributeSetup::Actpass => "actpass",
        SdpAttributeSetup::Holdconn => "holdconn",
        SdpAttributeSetup::Passive => "passive",
    }
}

pub(super) fn direction_word(direction: &SdpAttributeDirection) -> &'static str {
    match direction {
        SdpAttributeDirection::Recvonly => "recvonly",
        SdpAttributeDirection::Sendonly => "sendonly",
        SdpAttributeDirection::Sendrecv => "sendrecv",
    }
}

pub(super) fn single_direction_word(direction: &SdpSingleDirection) -> &'static str {
    match direction {
        SdpSingleDirection::Send => "send",
        SdpSingleDirection::Recv => "recv",
    }
}

pub(super) fn group_word(semantics: &SdpSsrcGroupSemantic) -> &'static str {
    match semantics {
        SdpSsrcGroupSemantic::Duplication => "DUP",
        SdpSsrcGroupSemantic::FlowIdentification => "FID",
        SdpSsrcGroupSemantic::ForwardErrorCorrection => "FEC",
        SdpSsrcGroupSemantic::ForwardErrorCorrectionFr => "FEC-FR",
        SdpSsrcGroupSemantic::Sim => "SIM",
    }
}
