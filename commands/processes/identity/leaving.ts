/** What follows when somebody leaves an organization: they leave its teams. */
import { events } from '../../../domain/identity/organization/messages.ts'
import { teamtree } from '../../../domain/identity/teamtree/teamtree.ts'
import { process, step } from '../process.ts'

const left = ({ data: { user } }: { readonly data: { readonly user: string } }) => [
  step(teamtree, 'clear', teamtree.only!, { user, reason: 'They left the organization.' }),
]

export const leavingProcess = process({
  name: 'leaving',
  of: { organization: events },
  on: {
    OrganizationFounded: null,
    OrganizationRenamed: null,
    OutsidersSet: null,
    MemberAdded: null,
    MemberInvited: null,
    InvitationAccepted: null,
    InvitationWithdrawn: left,
    MemberRolesSet: null,
    MemberSuspended: null,
    MemberResumed: null,
    MemberRemoved: left,
  },
})
